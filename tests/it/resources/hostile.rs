//! Clusters that mean harm: the operator outlives them in bounded memory, shows little of what they
//! say, goes where none of them sends it, and serves everybody else meanwhile.

use std::time::{Duration, Instant};

use catalyst_operator::api::{Sovereign, Tenant};
use futures::future::join_all;
use kube::ResourceExt as _;
use serde_json::json;

use crate::support::{
    Behaviour, Franchise, Hostile, Installed, Manifest, Operator, Told, database, quiet_world,
};

/// As much memory may they cost, all of them at once, in KiB.
const MEMORY_MAX: u64 = 64 * 1024;
/// How long they are let be, once all of them have met the operator.
const LET_BE: Duration = Duration::from_secs(10);

/// Memory that the operator's process has now, in KiB.
fn memory(operator: &Operator) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", operator.id()));
    let status = status.expect("the operator runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.and_then(|line| line.trim().strip_suffix(" kB"));
    size.and_then(|size| size.trim().parse().ok()).expect("it has a size")
}

/// A Sovereign on which a plan costs nothing.
fn sovereign(franchise: &Franchise, name: &str) -> Manifest {
    let manifest = Manifest::franchised(&franchise.namespace, name, name);
    manifest.selling("m", "0.000 OMR")
}

/// Nothing of what they say moves a cursor, and none of it fills a page.
fn assert_harmless(object: &impl Told) {
    for condition in object.conditions() {
        let is_line = |c: char| !c.is_control();
        assert!(condition.message.chars().all(is_line), "{condition:?}");
        assert!(condition.message.chars().count() < 2_500, "{condition:?}");
    }
}

/// An operator on the hub of a world of its own kind, with a Tenant that is ready.
async fn served() -> (Operator, Franchise) {
    let world = quiet_world();
    let installed = Installed::on(world, &database(world).await).await;
    let franchise = Franchise::found(world, &installed).await;
    let operator = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    (operator, franchise)
}

/// Lets them be for a while in which others come and are served, and gives the most memory that
/// the operator had.
async fn outlive(operator: &Operator, franchise: &Franchise) -> u64 {
    let (begun, mut most, mut others) = (Instant::now(), 0, 0);
    while begun.elapsed() < LET_BE {
        others += 1;
        franchise.settle(franchise.tenant(&format!("other-{others}")).code("LAUNCH")).await;
        most = most.max(memory(operator));
    }
    println!("{others} Tenants were served meanwhile, one after the other");
    most
}

async fn assert_outlived(operator: &Operator, franchise: &Franchise, hostile: &[Hostile]) {
    for object in
        franchise.api::<Sovereign>().list(&kube::api::ListParams::default()).await.unwrap()
    {
        assert_harmless(&object);
    }
    for object in franchise.api::<Tenant>().list(&kube::api::ListParams::default()).await.unwrap() {
        assert_harmless(&object);
    }
    for server in hostile {
        assert_eq!(server.led_astray(), 0, "{:?}", server.behaviour());
    }
    operator.answers("/livez", 200).await;
    let logged = operator.logged();
    let panics: Vec<&str> = logged.lines().filter(|line| line.contains("panicked")).collect();
    assert!(panics.is_empty(), "{panics:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_hostile_from_the_start_is_never_connected_and_harms_nobody() {
    let (operator, franchise) = served().await;
    let before = memory(&operator);
    let all = Behaviour::all();
    let hostile: Vec<Hostile> = all.into_iter().map(Hostile::start).collect();
    join_all(hostile.iter().enumerate().map(async |(number, server)| {
        let name = format!("hostile-{number}");
        franchise.keep_kubeconfig(&name, server.kubeconfig()).await;
        franchise.apply(sovereign(&franchise, &name)).await;
    }))
    .await;
    let most = outlive(&operator, &franchise).await;
    println!("{} clusters cost {} KiB", hostile.len(), most.saturating_sub(before));
    assert!(most < before + MEMORY_MAX, "{before} KiB became {most}");
    assert_outlived(&operator, &franchise, &hostile).await;
    for (number, server) in hostile.iter().enumerate() {
        let wanted = match server.behaviour() {
            Behaviour::Unauthorized => "Connected=False CredentialsRejected",
            Behaviour::Forbidden => "Connected=False PermissionsMissing",
            Behaviour::OldVersion => "Connected=False ClusterTooOld",
            Behaviour::AnotherCluster(_) => "Connected=False ClusterIdentityChanged",
            Behaviour::Silent | Behaviour::Garbage | Behaviour::EndlessBody => {
                "Connected=False ClusterUnavailable"
            }
            _ => continue,
        };
        franchise.until::<Sovereign>(&format!("hostile-{number}"), wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_becomes_hostile_with_tenants_on_it_harms_nobody_else() {
    let (operator, franchise) = served().await;
    let before = memory(&operator);
    let all = Behaviour::all();
    let hostile: Vec<Hostile> = all.into_iter().map(Hostile::after_contact).collect();
    join_all(hostile.iter().enumerate().map(async |(number, server)| {
        let name = format!("hostile-{number}");
        franchise.keep_kubeconfig(&name, server.kubeconfig()).await;
        franchise.apply(sovereign(&franchise, &name)).await;
        let organization = franchise.organization(&name);
        let tenant = Manifest::tenant(&franchise.namespace, &name, &organization).on(&name);
        franchise.apply(tenant).await;
    }))
    .await;
    let most = outlive(&operator, &franchise).await;
    println!("{} clusters cost {} KiB", hostile.len(), most.saturating_sub(before));
    assert!(most < before + MEMORY_MAX, "{before} KiB became {most}");
    assert_outlived(&operator, &franchise, &hostile).await;
    let told = json!(franchise.read::<Sovereign>("hostile-0").await.status);
    assert!(told["conditions"].is_array(), "{told}");
    let asked = hostile.iter().filter(|server| server.requests().len() > 1).count();
    assert!(asked > hostile.len() / 2, "{asked} of them were met at all");
    let kestrel: Tenant = franchise.read("kestrel").await;
    assert!(kestrel.uid().is_some());
}
