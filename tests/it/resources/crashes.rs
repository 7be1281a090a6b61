//! A process that is killed before, during and after each write on its way, from nothing to a
//! Tenant that is ready, and from there to nothing: the next one comes to the same end, with the
//! same money moved and the same objects ever made.

mod life;
mod relays;

use std::{collections::VecDeque, panic::AssertUnwindSafe, sync::Mutex, time::Instant};

use futures::{FutureExt as _, future::join_all};
use life::{Group, Place, Run};

use crate::support::{Franchise, Plan, When, quiet_world};

/// How many plans run at a time: most of each is five seconds in which Kubernetes waits before it
/// takes a namespace away.
const LANES: usize = SAMPLE;
/// How many plans `make test` has time for.
const SAMPLE: usize = 12;
const WHENS: [When; 3] = [When::Before, When::During, When::After];

/// Every write of a run, before, during and after it; or some, spread evenly.
fn plans(writes: usize) -> Vec<Plan> {
    let all = (1..=writes).flat_map(|at| WHENS.map(|when| Plan { at, when }));
    if std::env::var("CRASH_PLANS").is_ok_and(|which| which == "all") {
        return all.collect();
    }
    let some = (0..SAMPLE.min(writes)).zip(WHENS.into_iter().cycle());
    some.map(|(n, when)| Plan { at: 1 + n * writes / SAMPLE, when }).collect()
}

/// Takes plans until none is left, and gives what went wrong with each; nothing for those that the
/// run was too short for.
async fn work(group: &Group, wanted: &Run, queue: &Mutex<VecDeque<Plan>>) -> (usize, Vec<String>) {
    let (mut struck, mut wrong) = (0, vec![]);
    loop {
        let next = queue.lock().unwrap().pop_front();
        let Some(plan) = next else { return (struck, wrong) };
        let title = format!("{plan:?}, {}", wanted.writes[plan.at - 1]);
        match AssertUnwindSafe(group.run(Some(plan))).catch_unwind().await {
            Ok(run) => {
                struck += usize::from(run.is_struck);
                if run.end != wanted.end {
                    wrong.push(format!("{title} ends in\n{:#?}\n{:#?}", run.end, run.writes));
                }
            }
            Err(_said_above) => wrong.push(format!("{title} failed as is said above")),
        }
    }
}

async fn assert_every_crash_ends_alike(place: Place) {
    let begun = Instant::now();
    let group = Group::new(place).await;
    let wanted = group.run(None).await;
    let plans = plans(wanted.writes.len());
    println!("{} plans of {} writes: {:#?}", plans.len(), wanted.writes.len(), wanted.writes);
    let (count, queue) = (plans.len(), Mutex::new(VecDeque::from(plans)));
    let lanes = (0..LANES).map(|_| work(&group, &wanted, &queue));
    let (struck, wrong): (Vec<usize>, Vec<Vec<String>>) = join_all(lanes).await.into_iter().unzip();
    let struck = struck.iter().sum::<usize>();
    println!("{struck} of {count} plans were carried out in {:?}", begun.elapsed());
    let wrong = wrong.concat();
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
