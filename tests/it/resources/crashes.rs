//! A process that is killed before, during and after each write on its way, from nothing to a
//! Tenant that is ready, and from there to nothing: the next one comes to the same end, with the
//! same money moved and the same objects ever made.

mod life;
mod relays;

use std::{cell::Cell, ops::RangeInclusive, panic::AssertUnwindSafe, time::Instant};

use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use life::{Group, HandOver, Place, Run};
use tokio::sync::{
    Mutex,
    mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::support::{Access, Franchise, Manifest, Plan, When, hub_client, quiet_world};

/// How many plans run at a time: most of each is five seconds in which Kubernetes waits before it
/// takes a namespace away.
const LANES: usize = 6;
/// `make test` has time for every sixth write, each at one of the moments in turn.
const EVERY: usize = 6;
const WHENS: [When; 3] = [When::Before, When::During, When::After];

/// Plans for these writes: before, during and after each of them, or some, spread evenly.
fn plans(writes: RangeInclusive<usize>) -> impl Iterator<Item = Plan> {
    let is_all = std::env::var("CRASH_PLANS").is_ok_and(|which| which == "all");
    let all = writes.flat_map(|at| WHENS.map(|when| Plan { at, when }));
    all.filter(move |plan| {
        let turn = WHENS[plan.at / EVERY % WHENS.len()];
        is_all || (plan.at % EVERY == 1 && plan.when == turn)
    })
}

/// Takes plans until no more come, and gives how each went; nothing for one that failed.
async fn work(group: &Group, queue: &Mutex<UnboundedReceiver<Plan>>) -> Vec<(Plan, Option<Run>)> {
    let mut done = vec![];
    loop {
        let next = queue.lock().await.recv().await;
        let Some(plan) = next else { return done };
        let run = AssertUnwindSafe(group.run(Some(plan), |_| ())).catch_unwind().await;
        done.push((plan, run.ok()));
    }
}

/// What is wrong with a run.
fn wrong(plan: Plan, run: Option<&Run>, wanted: &Run) -> Option<String> {
    let title = format!("{plan:?}, {}", wanted.writes[plan.at - 1]);
    match run {
        None => Some(format!("{title} failed as is said above")),
        Some(run) if run.end == wanted.end => None,
        Some(run) => Some(format!("{title} ends in\n{:#?}\n{:#?}", run.end, run.writes)),
    }
}

async fn assert_every_crash_ends_alike(place: Place) {
    let begun = Instant::now();
    let group = Group::new(place).await;
    let (sender, queue) = unbounded_channel();
    let undisturbed = async {
        let give = |writes| plans(writes).for_each(|plan| sender.send(plan).unwrap());
        let known = Cell::new(0);
        // Those that lead to a Tenant need not wait until it is gone again.
        let settled = |writes| {
            give(1..=writes);
            known.set(writes);
        };
        let run = group.run(None, settled).await;
        give(known.get() + 1..=run.writes.len());
        drop(sender);
        run
    };
    let queue = Mutex::new(queue);
    let lanes = join_all((0..LANES).map(|_| work(&group, &queue)));
    let (wanted, done) = tokio::join!(undisturbed, lanes);
    let done: Vec<(Plan, Option<Run>)> = done.into_iter().flatten().collect();
    let struck = done.iter().filter(|(_, run)| run.as_ref().is_some_and(|run| run.is_struck));
    let (struck, count) = (struck.count(), done.len());
    println!("{:#?}", wanted.writes);
    println!("{struck} of {count} plans for {} writes", wanted.writes.len());
    println!("were carried out in {:?}", begun.elapsed());
    let wrong = done.iter().filter_map(|(plan, run)| wrong(*plan, run.as_ref(), &wanted));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "it should end in\n{:#?}\n{}", wanted.end, wrong.join("\n"));
    // A run can be shorter by a status or two that nobody had time to write.
    assert!(struck + 3 >= count, "{struck} of {count} plans were carried out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_write_is_followed_by_one_that_ends_alike() {
    let place =
        Place { cluster: quiet_world().hub(), sovereign: Franchise::sovereign, elsewhere: None };
    assert_every_crash_ends_alike(place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_where_the_tenant_lives_on_a_cluster_that_is_not_ours() {
    let cluster = quiet_world().cluster("nizwa");
    let access = Access::granted(cluster).await;
    access.belongs_to(&hub_client(quiet_world()).await).await;
    let sovereign = |franchise: &Franchise| {
        Manifest::franchised(&franchise.namespace, "catalyst-zero", "nizwa")
    };
    let elsewhere = Some((access.token(), hand_over as HandOver));
    assert_every_crash_ends_alike(Place { cluster, sovereign, elsewhere }).await;
}

fn hand_over(franchise: &Franchise, kubeconfig: String) -> BoxFuture<'_, ()> {
    Box::pin(async move { franchise.keep_kubeconfig("nizwa", &kubeconfig).await })
}
