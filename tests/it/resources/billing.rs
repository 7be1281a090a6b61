//! Paid time as people meet it: it is renewed, runs low and out, is topped up, and changes with
//! the plan and its price. Each test has a ledger whose clock stands where the test says.

use catalyst_operator::api::{Sovereign, Tenant};
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::DeleteParams;

use crate::support::{
    Database, Franchise, Installed, Manifest, Operator, database, message, quiet_world,
};

/// A franchise with an operator and a ledger of its own, in the year 2031.
struct Place {
    franchise: Franchise,
    ledger: Database,
    _operator: Operator,
}

/// The first of January is a good day to begin.
async fn place() -> Place {
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    let operator = installed.start(&franchise.alone());
    let place = Place { franchise, ledger, _operator: operator };
    place.stand_at("2031-01-01T00:00:00Z").await;
    place.franchise.open().await;
    place
}

impl Place {
    /// Time stands still at this instant, which nobody tells the operator of.
    async fn stand_at(&self, instant: &str) {
        let set = format!("update ledger.clock set floor = '{instant}'");
        self.ledger.mutate(&set).await;
    }

    fn account(&self) -> String {
        format!("{}/{}", self.franchise.namespace, self.franchise.organization("kestrel"))
    }

    fn top_up(&self, amount: &str, key: &str) {
        let because = ["--reason", "bank transfer", "--actor", "amal", "--key", key];
        self.ledger.printed(&[&["credit", &self.account(), amount], &because[..]].concat());
    }

    /// Kestrel pays plan m from a voucher of this much credit.
    async fn settle(&self, credit: &str) -> Tenant {
        let voucher = self.franchise.voucher("launch").with("credit", credit);
        self.franchise.issue(voucher).await;
        self.franchise.settle(self.kestrel()).await
    }

    fn kestrel(&self) -> Manifest {
        self.franchise.tenant("kestrel").code("LAUNCH")
    }

    async fn visit(&self) -> Tenant {
        self.franchise.visit("kestrel").await
    }
}

fn paid_until(tenant: &Tenant) -> &str {
    tenant.status.as_ref().and_then(|status| status.paid_until.as_deref()).unwrap_or_default()
}

/// Status and reason of a condition, such as `True Paid`.
fn told(tenant: &Tenant, kind: &str) -> String {
    let mut conditions = tenant.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.find(|condition| condition.type_ == kind);
    found.map(|found| format!("{} {}", found.status, found.reason)).unwrap_or_default()
}

#[tokio::test]
async fn a_month_that_ends_is_renewed_from_credit() {
    let place = place().await;
    let tenant = place.settle("100.000 OMR").await;
    assert_eq!(paid_until(&tenant), "2031-02-01T00:00:00Z");
    place.stand_at("2031-02-01T00:00:00Z").await;
    let tenant = place.visit().await;
    assert_eq!(paid_until(&tenant), "2031-03-01T00:00:00Z");
    assert_eq!(told(&tenant, "Ready"), "True Ready");
    assert_eq!(told(&tenant, "Entitled"), "True Paid");
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("82.000 OMR"));
    place.visit().await;
    assert_eq!(place.franchise.entries("kestrel").await.len(), 3);
    place.franchise.assert_sound().await;
}

#[tokio::test]
async fn credit_runs_low_and_out_and_a_topup_brings_it_back_by_itself() {
    let place = place().await;
    let franchise = &place.franchise;
    let tenant = place.settle("17.999 OMR").await;
    assert_eq!(told(&tenant, "CreditLow"), "True RenewalShort");
    assert!(message(&tenant, "CreditLow").contains("9.000 OMR, and the credit will be 8.999 OMR"));

    place.stand_at("2031-02-01T00:00:00Z").await;
    let tenant = place.visit().await;
    assert_eq!(told(&tenant, "Entitled"), "True Grace");
    assert_eq!(told(&tenant, "Ready"), "True Ready");
    let goes_on = message(&tenant, "Entitled");
    assert!(goes_on.contains("it goes on until 2031-02-08T00:00:00Z"), "{goes_on}");
    let quotas = franchise.at_home::<ResourceQuota>("kestrel");
    quotas.delete("catalyst-plan", &DeleteParams::default()).await.unwrap();
    franchise.until_object(&quotas, "catalyst-plan", "back", |_: &ResourceQuota| true).await;

    place.stand_at("2031-02-08T00:00:00Z").await;
    let tenant = place.visit().await;
    assert_eq!(told(&tenant, "Entitled"), "False CreditExhausted");
    assert_eq!(told(&tenant, "Stalled"), "True CreditExhausted");
    let home = franchise.namespaces().get(&franchise.home("kestrel")).await.unwrap();
    assert!(home.metadata.deletion_timestamp.is_none(), "nothing is deleted for want of credit");

    place.top_up("0.001 OMR", "4711");
    let tenant: Tenant = franchise.woken().until("kestrel", "Ready=True").await;
    assert_eq!(paid_until(&tenant), "2031-03-08T00:00:00Z");
    assert_eq!(told(&tenant, "Entitled"), "True Paid");
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("0.000 OMR"));
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_topup_within_grace_pays_from_the_end_of_the_last_period() {
    let place = place().await;
    place.settle("9.000 OMR").await;
    place.stand_at("2031-02-05T00:00:00Z").await;
    assert_eq!(told(&place.visit().await, "Entitled"), "True Grace");
    place.top_up("9.000 OMR", "4711");
    place.top_up("9.000 OMR", "4711");
    let tenant: Tenant = place.franchise.woken().until("kestrel", "Entitled=True Paid").await;
    assert_eq!(paid_until(&tenant), "2031-03-01T00:00:00Z");
    assert_eq!(place.franchise.entries("kestrel").await.len(), 4, "one top-up under one key");
    place.franchise.assert_sound().await;
}

async fn quota_grows(place: &Place, pods: &str) {
    let quotas = place.franchise.at_home::<ResourceQuota>("kestrel");
    let grown = |quota: &ResourceQuota| {
        let hard = quota.spec.as_ref().and_then(|spec| spec.hard.as_ref());
        hard.and_then(|hard| hard.get("pods")).is_some_and(|found| found.0 == pods)
    };
    place.franchise.until_object(&quotas, "catalyst-plan", "of that size", grown).await;
}

#[tokio::test]
async fn a_dearer_plan_is_had_at_once_for_the_rest_of_the_period() {
    let place = place().await;
    place.settle("100.000 OMR").await;
    place.stand_at("2031-01-16T12:00:00Z").await;
    place.franchise.apply(place.kestrel().plan("l")).await;
    quota_grows(&place, "8").await;
    let is_so = |tenant: &Tenant| {
        tenant.status.as_ref().is_some_and(|status| status.plan.as_deref() == Some("l"))
    };
    let api = place.franchise.api();
    let tenant = place.franchise.until_object(&api, "kestrel", "on plan l", is_so).await;
    assert_eq!(paid_until(&tenant), "2031-02-01T00:00:00Z");
    // Half of 120 rial less half of 9.
    let entries = place.franchise.entries("kestrel").await;
    assert_eq!(entries.last(), Some(&("capture".to_owned(), -55_500)));
    let statement = place.ledger.printed(&["statement", &place.account()]);
    assert!(statement.contains("plan l for the rest of period 1"), "{statement}");
    place.franchise.assert_sound().await;
}

#[tokio::test]
async fn a_dearer_plan_that_cannot_be_paid_leaves_everything_as_it_is() {
    let place = place().await;
    place.settle("20.000 OMR").await;
    place.franchise.apply(place.kestrel().plan("l")).await;
    let tenant: Tenant = place.franchise.until("kestrel", "Ready=False UpgradeShort").await;
    for kind in ["Entitled", "NamespacesReady", "PoliciesReady", "Synced"] {
        assert!(told(&tenant, kind).starts_with("True"), "{kind}: {tenant:?}");
    }
    assert_eq!(tenant.status.unwrap().plan.as_deref(), Some("m"));
    place.top_up("120.000 OMR", "4711");
    place.franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
    quota_grows(&place, "8").await;
    place.franchise.assert_sound().await;
}

#[tokio::test]
async fn a_cheaper_plan_begins_with_the_next_period() {
    let place = place().await;
    place.settle("100.000 OMR").await;
    place.franchise.apply(place.kestrel().plan("s")).await;
    let tenant: Tenant = place.franchise.until("kestrel", "Ready=True").await;
    let said = message(&tenant, "Entitled");
    assert_eq!(said, "plan m is paid until 2031-02-01T00:00:00Z, when plan s begins");
    quota_grows(&place, "4").await;
    place.stand_at("2031-02-01T00:00:00Z").await;
    // It is paid once its smaller quota stands, which may be a visit later.
    place.visit().await;
    let (tenants, franchise) = (place.franchise.api(), &place.franchise);
    let begun = |tenant: &Tenant| tenant.status.as_ref().unwrap().plan.as_deref() == Some("s");
    let tenant = franchise.until_object(&tenants, "kestrel", "on plan s", begun).await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("86.000 OMR"));
    quota_grows(&place, "2").await;
}

#[tokio::test]
async fn a_price_that_changes_is_told_and_counts_from_the_next_period() {
    let place = place().await;
    let franchise = &place.franchise;
    place.settle("100.000 OMR").await;
    franchise.apply(franchise.sovereign().selling("m", "12.000 OMR")).await;
    let tenant: Tenant = franchise.woken().until("kestrel", "PriceChanges=True").await;
    let said = message(&tenant, "PriceChanges");
    assert_eq!(said, "from 2031-02-01T00:00:00Z plan m costs 12.000 OMR instead of 9.000 OMR");
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("91.000 OMR"));
    place.stand_at("2031-02-01T00:00:00Z").await;
    let tenant = place.visit().await;
    assert_eq!(told(&tenant, "PriceChanges"), "");
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("79.000 OMR"));
    franchise.until::<Sovereign>("catalyst-zero", "Ready=True").await;
    franchise.assert_sound().await;
}
