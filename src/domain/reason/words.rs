//! Every reason there is, with its sentence.

use std::fmt;

use super::Outlook;

reasons! {
    /// The namespace does not carry the franchise label.
    NotAFranchise { namespace: String } Stalled
        "namespace {namespace} is not a franchise, so nothing in it is paid or made: whoever may \
         label namespaces founds one with the label catalyst.openova.io/franchise"
    /// The namespace does not allow its Sovereigns to be this cluster.
    InClusterNotAllowed { namespace: String } Stalled
        "connection.mode InCluster means the hub itself, which namespace {namespace} may not use: \
         label the namespace catalyst.openova.io/in-cluster=allowed"
    /// The database does not answer, or not in time.
    LedgerUnavailable { why: String } Unknown
        "the ledger cannot be reached; nothing is refused or taken down meanwhile and all of it \
         resumes by itself: {why}"
    /// The database answers and refuses to move money.
    LedgerFrozen { why: String } Unknown
        "money waits: the ledger of this franchise is frozen ({why}); an administrator decides"
    /// This program is older than the schema of the database.
    SchemaUnsupported { needed: i32, program: i32 } Unknown
        "money waits: the database is served by programs of level {needed} and this one is of \
         level {program}; upgrade the operator"
    /// The database server may lose what it acknowledged.
    DurabilityUnsafe { why: String } Unknown
        "money waits: {why}"
    /// The database belongs to another hub.
    HubChanged { seen: String } Unknown
        "money waits: the database belongs to another hub than {seen}; if this \
         one is to take over, run catalyst-operator ledger adopt-hub {seen}"
    /// A namespace of this name was a franchise before, with another UID.
    FranchiseIdentityChanged { namespace: String, known: String, seen: String } Unknown
        "money waits: namespace {namespace} had UID {known} when it was founded and has {seen} \
         now; if it is the same franchise, annotate the namespace \
         catalyst.openova.io/accept-franchise-uid={seen}"
    /// The cluster does not answer, or not in time.
    ClusterUnavailable { why: String } Unknown
        "the cluster cannot be reached; nothing is taken down meanwhile: {why}"
    /// The cluster answers and refuses what we ask.
    ClusterRefused { why: String } Stalled
        "the cluster refused: {why}"
    /// What is written cannot be used, and no rule of the schema could say so.
    InvalidSpec { why: String } Stalled
        "{why}"

    /// The cluster is another one than the one that was accepted.
    ClusterIdentityChanged { known: String, seen: String } Unknown
        "nothing is made or taken away: the Sovereign was accepted on the cluster {known} and this \
         is the cluster {seen}; if it is to live there from now on, annotate the Sovereign \
         catalyst.openova.io/accept-cluster-uid={seen}"
    /// The cluster of a Sovereign does not answer.
    SovereignUnreachable { sovereign: String, since: String } Unknown
        "the cluster of Sovereign {sovereign} cannot be used since {since}, as that Sovereign \
         says; what is there stays as it is, and all of it resumes by itself"
    /// A Tenant is leaving a cluster that does not answer.
    TeardownUnreachable { sovereign: String, since: String, uid: String } Unknown
        "waiting for the cluster of Sovereign {sovereign}, which cannot be used since {since}, to \
         take away what stands there; if it never comes back, annotate the Tenant \
         catalyst.openova.io/abandon={uid}"
    /// Nobody has heard of the cluster yet.
    Connecting {} Progressing
        "connecting to the cluster for the first time"
    /// The cluster answers and does not know who we are.
    CredentialsRejected { secret: String } Unknown
        "the cluster does not accept the credentials in Secret {secret}: put a new kubeconfig there"
    /// The credentials are good no more, by their own account.
    CredentialsExpired { secret: String, at: String } Unknown
        "the credentials in Secret {secret} expired at {at}: put a new kubeconfig there"
    /// The server is not the one that the authority of the kubeconfig vouches for.
    ClusterUntrusted { secret: String, why: String } Unknown
        "the server's certificate is not vouched for by certificate-authority-data in Secret \
         {secret}, so nothing was said to it: {why}"
    /// Another hub was here first.
    OwnedByAnotherHub { hub: String } Stalled
        "the cluster belongs to hub {hub}; if that hub is gone for good, delete ConfigMap \
         catalyst-hub in namespace catalyst-system there"
    /// A kubeconfig leads to where the operator runs.
    SovereignIsHub {} Stalled
        "the kubeconfig leads to the hub itself: use connection.mode InCluster, in a namespace \
         that may"
    /// Another Sovereign of the franchise is on the same cluster.
    ClusterTaken { sovereign: String } Stalled
        "the cluster is the one of Sovereign {sovereign}, which was first: sell more plans there, \
         or name the kubeconfig of another cluster"
    /// The cluster lacks what we rely on.
    ClusterTooOld { version: String, least: String } Stalled
        "the cluster runs Kubernetes {version}, and {least} or newer is needed: upgrade it"
    /// The franchisee did not grant all that is needed.
    PermissionsMissing { missing: String } Stalled
        "the credentials may not do all that is needed there: apply the manifests of \
         catalyst-sovereign-access to the cluster; missing: {missing}"
    /// Tenants were given up while the cluster was dark, and what they left is still there.
    TombstonesRemain { organizations: String, at: String } Progressing
        "what abandoned Tenants left on the cluster is taken away at {at}, of: {organizations}"

    /// The kubeconfig is not where it should be.
    SecretNotFound { secret: String } Missing
        "Secret {secret} is not in this namespace: create it, with a kubeconfig under the key \
         value, kubeconfig or config"
    /// The Secret is there, and no kubeconfig is under the key.
    SecretKeyMissing { secret: String, keys: String } Missing
        "Secret {secret} has no kubeconfig under {keys}: put one there, or name its key in \
         connection.kubeconfig.secretRef.key"
    /// Nobody let the operator read the Secret of a kubeconfig.
    SecretForbidden { secret: String } Stalled
        "the operator may not read and hold Secret {secret}: grant its service account a Role in \
         this namespace with the verbs get, list, watch and patch on secrets and resourceNames \
         {secret}"
    /// The kubeconfig is far longer than one page of text.
    KubeconfigTooLarge { size: usize } Stalled
        "the kubeconfig has {size} bytes and 65536 are enough: remove what does not belong to it"
    /// What stands in the Secret is no kubeconfig.
    KubeconfigUnreadable { why: String } Stalled
        "the Secret holds no kubeconfig that can be read: {why}"
    /// The kubeconfig has YAML that refers to itself, or could.
    KubeconfigHasAliases {} Stalled
        "the kubeconfig has YAML anchors, aliases, tags or merge keys: write each value where it \
         is used, and put one with &, * or ! in quotes"
    /// The kubeconfig leaves a choice of cluster, user or context.
    KubeconfigNotOne { what: String, count: usize } Stalled
        "the kubeconfig has {count} {what} and must have exactly one: write it with kubectl config \
         view --raw --minify --flatten"
    /// The context of the kubeconfig leads nowhere.
    KubeconfigContextWrong { why: String } Stalled
        "the context of the kubeconfig cannot be used: {why}"
    /// The kubeconfig wants a command to be run.
    KubeconfigExec {} Stalled
        "the kubeconfig names a command to run (exec), which the operator never does: use a token \
         or a client certificate"
    /// The kubeconfig wants a plugin.
    KubeconfigAuthProvider {} Stalled
        "the kubeconfig names an auth-provider, which the operator never uses: use a token or a \
         client certificate"
    /// The kubeconfig wants a file with a token to be read.
    KubeconfigTokenFile {} Stalled
        "the kubeconfig names a tokenFile, and the operator reads no file for it: write the token \
         itself"
    /// The kubeconfig wants a file to be read.
    KubeconfigFilePath { field: String } Stalled
        "the kubeconfig names a file in {field}, and the operator reads none for it: write the \
         content in {field}-data, as with kubectl config view --raw --flatten"
    /// The kubeconfig wants no proof of who the server is.
    KubeconfigInsecure {} Stalled
        "the kubeconfig sets insecure-skip-tls-verify, which would send the credentials to \
         anybody: remove it and write certificate-authority-data"
    /// The kubeconfig wants to be somebody else.
    KubeconfigImpersonates { field: String } Stalled
        "the kubeconfig impersonates somebody with {field}: use the credentials of the user itself"
    /// The kubeconfig has a password.
    KubeconfigPassword {} Stalled
        "the kubeconfig has a user name and a password, which Kubernetes no longer knows: use a \
         token or a client certificate"
    /// The kubeconfig goes through a proxy.
    KubeconfigProxy {} Stalled
        "the kubeconfig names a proxy-url, which could read or answer everything: give an address \
         that the operator reaches itself"
    /// The kubeconfig speaks without encryption.
    KubeconfigPlainHttp { server: String } Stalled
        "the server of the kubeconfig is {server}: only https:// keeps the credentials secret"
    /// The address in the kubeconfig is none.
    KubeconfigServerUnusable { server: String, why: String } Stalled
        "the server of the kubeconfig, {server}, cannot be used: {why}"
    /// Nothing in the kubeconfig vouches for the server.
    KubeconfigNoAuthority {} Stalled
        "the kubeconfig has no certificate-authority-data, so nothing vouches for the server: add \
         it"
    /// What vouches for the server is no certificate.
    KubeconfigAuthorityUnusable { why: String } Stalled
        "certificate-authority-data of the kubeconfig cannot be used: {why}"
    /// The kubeconfig says nobody's name.
    KubeconfigNoLogin {} Stalled
        "the kubeconfig has neither a token nor a client certificate: add one of them"
    /// The kubeconfig says two names.
    KubeconfigTwoLogins {} Stalled
        "the kubeconfig has a token and a client certificate: remove one of them"
    /// The kubeconfig has a certificate without its key, or with that of another one.
    KubeconfigLoginBroken { why: String } Stalled
        "the credentials of the kubeconfig cannot be used, as in the middle of a rotation: {why}"
    /// Nothing of ours may go there.
    AddressRefused { address: String, what: String } Stalled
        "the server of the kubeconfig is at {address}, {what}, where no Sovereign is: if it is \
         meant, the hub's administrator adds it to CATALYST_REMOTE_ALLOW_CIDRS"
    /// The name of the server has no address.
    AddressUnknown { host: String, why: String } Unknown
        "the server of the kubeconfig, {host}, has no address: {why}"
    /// The Sovereign's currency was another one before.
    CurrencyChanged { wanted: String, known: String } Stalled
        "the Sovereign was accepted with currency {known} and says {wanted} now; accounts are kept \
         in {known}: put it back, or use another name for the Sovereign"
    /// A Sovereign is leaving and still has Tenants.
    TenantsRemain { tenants: String } Progressing
        "the Sovereign goes when its Tenants are gone: delete {tenants}; what was kept when its \
         object was deleted runs on, and has to be applied again before it can be deleted"

    /// The Sovereign is not there, or not accepted yet.
    SovereignNotFound { sovereign: String } Missing
        "Sovereign {sovereign} is not in this namespace, or not accepted yet: apply it, or name \
         another one in a new object"
    /// The voucher's credit is in another currency than its Sovereign's.
    CurrencyMismatch { credit: String, sovereign: String, currency: String } Stalled
        "credit is {credit} and Sovereign {sovereign} keeps its accounts in {currency}: create a \
         Voucher with credit in {currency}"
    /// Another Voucher object was first with this code.
    CodeTaken { holder: String } Stalled
        "the code belongs to Voucher {holder}, which was first; delete one of the two"
    /// A secret code is not where it should be.
    CodeSecretMissing { secret: String, key: String } Missing
        "the code is kept in a Secret and is not there: create Secret {secret} in this namespace \
         with the key {key}"
    /// Nobody let the operator read the Secret of a code.
    CodeSecretForbidden { secret: String } Stalled
        "the operator may not read Secret {secret}: grant its service account a Role in this \
         namespace with the verbs get, list and watch on secrets and resourceNames {secret}"
    /// A secret code could be found by trying.
    CodeTooShort { secret: String, key: String } Stalled
        "the value of key {key} in Secret {secret} has fewer than 16 characters, so that a thief \
         of the ledger could find it by trying: put a longer code there"
    /// What stands in a Secret is no code.
    CodeUnusable { secret: String, key: String } Stalled
        "the value of key {key} in Secret {secret} is not a voucher code: use 16 to 63 letters \
         A-Z and digits, with single hyphens between them"
    /// A Secret holds another code than the one that was accepted.
    CodeChanged { secret: String, hint: String } Stalled
        "the code in Secret {secret} is not the one that was accepted, {hint}, which stays in \
         force because people have it: put it back, or create another Voucher for another code"
    /// The code was used before, with another value.
    CodeRetired { was: String } Stalled
        "the code was worth {was} before it was deleted, and the value of a code never changes: \
         put that back, or use another code"
    /// The object is older than what was accepted from it before.
    StaleSpec { accepted: i64, seen: i64 } Stalled
        "generation {accepted} of this object was accepted before and this is generation {seen}, \
         so it comes from an older copy; apply the present version again"
    /// The cap that is asked for is below what is redeemed, or is gone.
    CapBelowRedeemed { wanted: String, used: i64, cap: i64 } Stalled
        "maxRedemptions {wanted} is not possible with {used} redeemed, and a cap never vanishes: \
         {cap} is in force; everything else of the edit took effect"
    /// The budget that is asked for is below what is granted, or is gone.
    BudgetBelowGranted { wanted: String, granted: String, budget: String } Stalled
        "budget {wanted} is not possible with {granted} granted, and a budget never vanishes: \
         {budget} is in force; everything else of the edit took effect"
    /// The code was revoked once and stays so.
    CodeRevoked {} Stalled
        "the code was revoked and stays revoked for ever; use another code"
    /// The ledger has not accepted these terms yet.
    TermsPending {} Progressing
        "the terms are not accepted by the ledger yet"

    /// The plan is not sold by the Sovereign.
    PlanNotFound { plan: String, sovereign: String, offers: String } Missing
        "Sovereign {sovereign} has no plan {plan}; it has {offers}"
    /// Another Tenant has this organization.
    OrganizationTaken { organization: String, by: String } Stalled
        "organization {organization} belongs to {by}, which was first: choose another \
         organization in a new Tenant, or let that one go"
    /// The organization's account is suspended.
    AccountSuspended { organization: String } Stalled
        "the account of organization {organization} is suspended, so it neither redeems nor pays; \
         an administrator decides"
    /// The running period was paid on another Sovereign.
    PaidElsewhere { sovereign: String, until: String } Stalled
        "the organization is paid on Sovereign {sovereign} until {until}, and a period does not \
         move: put the Tenant back there, or wait until then"
    /// There is less credit than the plan costs.
    CreditShort { available: String, needed: String, plan: String } Stalled
        "{available} of credit and plan {plan} costs {needed}: add a voucher to spec.vouchers, or \
         choose a smaller plan; nothing is made before it is paid"
    /// There is less credit than the plan costs, and a voucher that is named may still bring it.
    CreditAwaited { available: String, needed: String, plan: String, voucher: String } Missing
        "{available} of credit and plan {plan} costs {needed}; waiting for {voucher}: if it does \
         not come, add another voucher to spec.vouchers; nothing is made before it is paid"
    /// The paid time is over, and so is the grace after it.
    CreditExhausted { available: String, needed: String, plan: String, since: String } Stalled
        "nothing is paid since {since}: {available} of credit and plan {plan} costs {needed}; add \
         a voucher to spec.vouchers, or choose a smaller plan"
    /// There is less credit than a dearer plan costs for the rest of the period.
    UpgradeShort { available: String, needed: String, plan: String, current: String } Stalled
        "{available} of credit and plan {plan} costs {needed} for the rest of the period, so plan \
         {current} stays in force: add a voucher to spec.vouchers, or go back to plan {current}"
    /// The credit is set aside and objects are being made.
    Provisioning { what: String } Progressing
        "waiting for {what}"
    /// A namespace of that name exists and is not ours.
    NamespaceConflict { name: String } Stalled
        "namespace {name} exists and was not made for this Tenant; it is not touched: rename or \
         delete it, or choose another organization"
    /// It is one of many deletions at once, or goes with its namespace or its definition.
    MassDeletionHeld { namespace: String } Stalled
        "nothing is torn down or retired: much of franchise {namespace} is being deleted at once, \
         or its namespace or a custom resource definition is; if that is a mistake, annotate \
         namespace {namespace} catalyst.openova.io/mass-deletion=keep and apply the manifests \
         again; if it is meant, =proceed, after which nothing brings the data back; an answer that \
         stands from before has to be taken away first"
    /// The objects of a leaving Tenant are on their way out.
    TeardownPending { what: String } Progressing
        "waiting until they are gone: {what}"
    /// It may go, as far as we are concerned, and somebody else holds it.
    FinalizersRemain { finalizers: String } Progressing
        "the operator does not hold it; it is gone when whoever set {finalizers} takes that off"
    /// Turn after turn, the state was not the one that the last turn left behind.
    Unsettled {} Progressing
        "others change the same things; trying again"

    /// No such code, which is also the answer for one that was revoked or retired.
    NotFound {} Missing
        "there is no such voucher"
    /// The voucher is paused.
    NotActive {} Stalled
        "the voucher is paused"
    /// The voucher cannot be redeemed yet.
    NotStarted { from: String } Progressing
        "the voucher is valid from {from}"
    /// The voucher cannot be redeemed any more.
    Expired { at: String } Stalled
        "the voucher expired at {at}"
    /// The voucher is for other Tenants.
    NotEligible { why: String } Stalled
        "{why}"
    /// Every redemption of the voucher is used.
    LimitReached { cap: i64 } Stalled
        "all {cap} redemptions of the voucher are used"
    /// The voucher granted as much credit as it may.
    BudgetExhausted {} Stalled
        "the budget of the voucher is used up"
    /// The voucher can be redeemed and is about to be.
    NotRedeemedYet {} Progressing
        "the voucher is about to be redeemed"
}
