//! What a person does about each reason, in one sentence. A reason without it does not compile.

use super::Word;

impl Word {
    /// What to do.
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "it is a table")]
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotAFranchise => {
                "Ask whoever may label namespaces for the label `catalyst.openova.io/franchise`."
            }
            Self::InClusterNotAllowed => {
                "Label the namespace `catalyst.openova.io/in-cluster=allowed`, or use a kubeconfig."
            }
            Self::MassDeletionHeld => {
                "Annotate the namespace `catalyst.openova.io/mass-deletion` `keep` and apply the \
                 manifests again, or `proceed` if it was meant."
            }
            Self::LedgerUnavailable => "Bring PostgreSQL back; nothing else needs to be done.",
            Self::LedgerFrozen => {
                "Find out what the message names, then run `catalyst-operator ledger thaw`."
            }
            Self::SchemaUnsupported => {
                "Upgrade the operator to the version that the database was migrated to."
            }
            Self::DurabilityUnsafe => "Set on the database server what the message names.",
            Self::HubChanged => {
                "Connect to the right database, or run `catalyst-operator ledger adopt-hub`."
            }
            Self::FranchiseIdentityChanged => {
                "Annotate the namespace with its new UID if it is the same franchise."
            }
            Self::ClusterUnavailable => "Bring the API server back; nothing else needs to be done.",
            Self::ClusterRefused => "Grant what is refused, or change what the cluster objects to.",
            Self::InvalidSpec => "Correct the spec as the message says.",
            Self::ClusterIdentityChanged => {
                "Put the right kubeconfig in the Secret, or annotate the Sovereign with that UID."
            }
            Self::SovereignUnreachable => {
                "Look at the Sovereign, which says what is wrong with its cluster."
            }
            Self::TeardownUnreachable => {
                "Bring the cluster back, or annotate the Tenant to abandon what stands there."
            }
            Self::Connecting | Self::TermsPending | Self::NotRedeemedYet => "Wait a moment.",
            Self::CredentialsRejected | Self::CredentialsExpired => {
                "Put a new kubeconfig in the Secret."
            }
            Self::ClusterUntrusted => {
                "Put the authority of that server in the kubeconfig, or correct its address."
            }
            Self::OwnedByAnotherHub => {
                "Use another cluster, or delete the ConfigMap there if that hub is gone for good."
            }
            Self::SovereignIsHub => "Use `connection.mode: InCluster`.",
            Self::ClusterTaken => {
                "Sell more plans on the Sovereign that was first, or name another cluster."
            }
            Self::ClusterTooOld => "Upgrade Kubernetes on that cluster.",
            Self::PermissionsMissing => {
                "Apply the chart catalyst-sovereign-access to that cluster again."
            }
            Self::TombstonesRemain => {
                "Nothing: it is taken away at the time that the message names."
            }
            Self::SecretNotFound => "Create the Secret with a kubeconfig.",
            Self::SecretKeyMissing => "Put the kubeconfig under one of the keys, or name its key.",
            Self::SecretForbidden | Self::CodeSecretForbidden => {
                "Grant the operator a Role on that one Secret."
            }
            Self::KubeconfigTooLarge => "Remove from the kubeconfig what does not belong to it.",
            Self::KubeconfigUnreadable | Self::KubeconfigNotOne => {
                "Write a kubeconfig with `kubectl config view --raw --minify --flatten`."
            }
            Self::KubeconfigHasAliases => {
                "Write each value where it is used, and quote values that begin with &, * or !."
            }
            Self::KubeconfigContextWrong => {
                "Let the context name the cluster and the user that are in the file."
            }
            Self::KubeconfigExec | Self::KubeconfigAuthProvider | Self::KubeconfigPassword => {
                "Use a token or a client certificate."
            }
            Self::KubeconfigTokenFile => "Write the token itself.",
            Self::KubeconfigFilePath => "Write the content in the field that ends with -data.",
            Self::KubeconfigInsecure => {
                "Write certificate-authority-data and remove insecure-skip-tls-verify."
            }
            Self::KubeconfigImpersonates => "Use the credentials of the user itself.",
            Self::KubeconfigProxy => "Give an address that the operator reaches itself.",
            Self::KubeconfigPlainHttp => "Use an address with https://.",
            Self::KubeconfigServerUnusable => "Correct the address of the server.",
            Self::KubeconfigNoAuthority => "Add certificate-authority-data.",
            Self::KubeconfigAuthorityUnusable => "Put a certificate in PEM, in base64, there.",
            Self::KubeconfigNoLogin => "Add a token or a client certificate.",
            Self::KubeconfigTwoLogins => "Remove the token or the client certificate.",
            Self::KubeconfigLoginBroken => "Write certificate and key of the same pair.",
            Self::AddressRefused => "Correct the address, or let the hub's administrator allow it.",
            Self::AddressUnknown => "Correct the name of the server, or mend DNS.",
            Self::CurrencyChanged => {
                "Put the currency back, or use another name for the Sovereign."
            }
            Self::TenantsRemain => "Delete the Tenants that are named.",
            Self::SovereignNotFound => {
                "Apply the Sovereign in this namespace, or name another one in a new object."
            }
            Self::CurrencyMismatch => {
                "Create a Voucher with credit in the currency of the Sovereign."
            }
            Self::CodeTaken => "Delete one of the two Vouchers.",
            Self::CodeSecretMissing => "Create the Secret with that key.",
            Self::CodeTooShort => "Put a code of 16 characters or more in the Secret.",
            Self::CodeUnusable => "Put a code of letters and digits in the Secret.",
            Self::CodeChanged => "Put the accepted code back, or create another Voucher.",
            Self::CodeRetired => "Put the credit back that the code had, or use another code.",
            Self::StaleSpec => "Apply the present version of the manifest again.",
            Self::CapBelowRedeemed => "Set `maxRedemptions` to what is in force, or more.",
            Self::BudgetBelowGranted => "Set `budget` to what is in force, or more.",
            Self::CodeRevoked => "Use another code.",
            Self::PlanNotFound => "Choose a plan that the Sovereign sells.",
            Self::OrganizationTaken => {
                "Choose another organization in a new Tenant, or delete the other one."
            }
            Self::AccountSuspended => "Ask the administrator of the franchise.",
            Self::PaidElsewhere => {
                "Put the Tenant back on that Sovereign, or wait until the period ends."
            }
            Self::CreditShort | Self::CreditExhausted => {
                "Add a voucher to `spec.vouchers`, or choose a smaller plan."
            }
            Self::CreditAwaited => {
                "Apply the voucher that is named, or add another one to `spec.vouchers`."
            }
            Self::UpgradeShort => {
                "Add a voucher to `spec.vouchers`, or go back to the plan in force."
            }
            Self::Provisioning => "Wait a moment; if it lasts, look at what the message names.",
            Self::NamespaceConflict => {
                "Rename or delete that namespace, or choose another organization."
            }
            Self::FinalizersRemain => {
                "Look at whoever sets the finalizer that the message names, and why they keep it."
            }
            Self::TeardownPending => {
                "If it lasts, let whoever set the finalizer that is named take it off."
            }
            Self::Unsettled => "If it lasts, find out who else writes these objects.",
            Self::NotFound => "Correct the code, or ask who issued it.",
            Self::NotActive => "Wait until the issuer sets `state: Active` again.",
            Self::NotStarted => "Wait until then.",
            Self::Expired => "Use another voucher, or ask the issuer for a later `expiresAt`.",
            Self::NotEligible => "Use a voucher that is for this Tenant.",
            Self::LimitReached => {
                "Use another voucher, or ask the issuer for a higher `maxRedemptions`."
            }
            Self::BudgetExhausted => {
                "Use another voucher, or ask the issuer for a higher `budget`."
            }
        }
    }
}
