//! What a running operator serves is what the page of metrics says, and no more.

use std::collections::BTreeSet;

use catalyst_operator::{
    api::{Sovereign, Tenant},
    metrics::Metrics,
};

use crate::support::{Operator, shared_franchise};

#[tokio::test]
async fn the_metrics_of_a_running_operator_are_those_of_the_page() {
    let franchise = shared_franchise().await;
    let _access = franchise.abroad().await;
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.apply(franchise.tenant("poor").plan("l")).await;
    franchise.until::<Tenant>("poor", "Entitled=False CreditShort").await;
    franchise.apply(franchise.tenant("lost").code("NOWHERE")).await;
    franchise.until::<Tenant>("lost", "VouchersRedeemed=False NotFound").await;
    for name in ["ibis", "heron", "merlin", "osprey"] {
        franchise.apply(franchise.tenant(name).plan("l")).await;
        franchise.until::<Tenant>(name, "Entitled=False CreditShort").await;
    }
    for name in ["ibis", "heron", "merlin", "osprey"] {
        franchise.delete::<Tenant>(name).await;
    }
    franchise.until::<Tenant>("ibis", "Ready=False MassDeletionHeld").await;
    // This operator serves every franchise; the chart's scenes have one that is named some.
    let wanted = Metrics::ALL.iter().filter(|metric| metric.name != "franchise_served");
    let wanted: BTreeSet<String> =
        wanted.map(|metric| format!("{} {}", metric.served(), metric.kind)).collect();
    // Whether money is frozen is known at the first round of the seals.
    let served = async || {
        let (_, page) = Operator::shared().await.get("/metrics").await;
        let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let served = types.map(|line| match line.strip_suffix(" counter") {
            Some(name) => format!("{name}_total counter"),
            None => line.to_owned(),
        });
        served.collect::<BTreeSet<_>>()
    };
    franchise
        .until_true("every metric of the page is served", async || {
            served().await.is_superset(&wanted)
        })
        .await;
    assert_eq!(served().await, wanted);

    let (_, page) = Operator::shared().await.get("/metrics").await;
    for metric in Metrics::ALL {
        let name = format!("{}{{", metric.served().trim_end_matches("_total"));
        for line in page.lines().filter(|line| line.starts_with(&name)) {
            let labels = line.split_once('{').unwrap().1.split_once('}').unwrap().0;
            let names = labels.split("\",").map(|pair| pair.split_once('=').unwrap().0);
            assert_eq!(names.collect::<Vec<_>>(), metric.labels, "{line}");
        }
    }
    let poor = format!(
        "catalyst_not_ready_since_timestamp_seconds{{kind=\"Tenant\",franchise=\"{}\",\
         name=\"poor\",reason=\"CreditShort\"}} ",
        franchise.namespace
    );
    assert!(page.lines().any(|line| line.starts_with(&poor)), "{page}");
    let credit = format!(
        "catalyst_credit_minor_units{{franchise=\"{}\",currency=\"OMR\"}} 91000",
        franchise.namespace
    );
    assert!(page.lines().any(|line| line == credit), "{page}");

    franchise.delete::<Tenant>("poor").await;
    franchise.reply("proceed").await;
    franchise.gone::<Tenant>("poor").await;
    let gone = async || !Operator::shared().await.get("/metrics").await.1.contains(&poor);
    franchise.until_true("a Tenant that is gone is not counted", gone).await;
}
