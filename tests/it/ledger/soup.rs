//! Everything at once, on few things, so that all of it collides; and now and then a client that
//! takes back what it did, goes away or is killed. Whatever comes of it, the books are sound.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use catalyst_operator::{
    domain::{code::Code, money::Money},
    store::{Answer, Error, Why},
};
use futures::future::join_all;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{Books, Random, books, effort, plan};

const WORKERS: u64 = 32;
const ORGANIZATIONS: u64 = 6;
const CODES: u64 = 4;
const PLANS: [&str; 4] = ["free", "s", "m", "l"];
/// In a hundred: how many calls end in the middle, in one of three ways.
const ENDS: u64 = 3;

/// A worker, with a process of its own or one that it shares.
struct Worker {
    books: Books,
    random: Random,
    /// How much was done, so that a run that does nothing is seen.
    done: Arc<AtomicU64>,
    /// Moves on, and the names in use with it: what can happen once goes on happening.
    age: Arc<AtomicU64>,
}

impl Worker {
    fn org(&mut self) -> String {
        let age = self.age.load(Ordering::Relaxed) / 10;
        format!("org-{}", age + self.random.below(ORGANIZATIONS))
    }

    fn code(&mut self) -> String {
        let age = self.age.load(Ordering::Relaxed);
        format!("CODE-{}", age + self.random.below(CODES))
    }

    fn plan(&mut self) -> &'static str {
        PLANS[self.random.index(PLANS.len())]
    }

    fn why(&mut self) -> Why {
        let key = format!("key-{}", self.random.below(400));
        Why { key, reason: "goodwill".to_owned(), actor: "noor".to_owned() }
    }

    /// An order of an organization, mostly its newest.
    async fn some_order(&mut self, org: &str) -> i64 {
        let back = [0, 0, 0, 1, 2][self.random.index(5)];
        let order = format!(
            "select coalesce((select ord from orders join franchise using (franchise) \
             where namespace = '{}' and organization = '{org}' \
             order by ord desc offset {back} limit 1), 0)",
            self.books.namespace
        );
        self.books.database.one(&order).await
    }

    async fn turn(&mut self) {
        if self.random.percent(ENDS) {
            return self.end_in_the_middle().await;
        }
        match self.call().await {
            Ok(Answer::Done(_)) => {
                self.done.fetch_add(1, Ordering::Relaxed);
            }
            // A killed backend, or more collisions than a call has tries: it is made again.
            Ok(Answer::Refused(_)) | Err(Error::Unavailable { .. }) => {}
            Err(why) => panic!("a call that nobody should meet: {why:?}"),
        }
    }

    async fn call(&mut self) -> Result<Answer, Error> {
        let (org, code, plan_name) = (self.org(), self.code(), self.plan());
        let Books { door, namespace, .. } = self.books.clone();
        let (n, sovereign) = (namespace.as_str(), "catalyst-zero");
        let digest = Code::parse(&code).unwrap().digest();
        let customer = (org.as_str(), sovereign, plan_name);
        match self.random.below(100) {
            0..=24 => {
                let key = format!("redeem/{org}/{code}/{}", self.random.below(3));
                door.redeem(n, &key, digest, customer).await
            }
            25..=39 => door.order(n, &org, sovereign, plan_name).await,
            40..=51 => {
                let order = self.some_order(&org).await;
                let attempt = 1 + self.random.count::<i32>(4);
                door.redeem_and_hold(n, customer, (order, attempt), &[digest]).await
            }
            52..=66 => door.capture(n, self.some_order(&org).await).await,
            67..=69 => door.release(n, self.some_order(&org).await).await,
            // Now and then by a Tenant that asks for many.
            70..=76 => {
                let tenant = if self.random.percent(5) { "greedy" } else { &*org };
                door.claim(n, &org, tenant, (sovereign, crate::support::GRACE)).await
            }
            77 => door.leave(n, &org, &org).await,
            78..=82 => {
                let amount = Money::parse("5.000 OMR").unwrap();
                door.credit((n, &org), &amount, Some(86_400), &self.why()).await
            }
            83..=85 => {
                let newest = "select coalesce(max(transfer), 1) from transfer";
                let entry = self.books.database.one::<i64>(newest).await;
                let entry = entry - self.random.count::<i64>(30);
                door.reverse(n, entry, &self.why()).await
            }
            86 => door.close((n, &org), "OMR", &self.why()).await,
            87..=89 => door.retire(n, &code.to_lowercase()).await,
            90..=97 => self.accept(&code).await,
            _ => {
                let plans = [plan("free", 0), plan("m", 9_000 + self.random.count::<i64>(3))];
                let place = ("OMR", "cluster-zero");
                let uid = self.books.uid();
                door.accept_sovereign((n, &uid), sovereign, place, &plans).await
            }
        }
    }

    async fn accept(&mut self, code: &str) -> Result<Answer, Error> {
        let generation = self.random.count::<i64>(1_000_000);
        let cap = 1 + self.random.count::<i64>(12);
        let paused = self.random.percent(10);
        let issue = self.books.voucher(code).cap(cap).generation(generation);
        let issue = issue.credit_expires_after(1 + cap * 86_400);
        let issue = if paused { issue.paused() } else { issue };
        let code = issue.voucher.code.code().expect("it is written");
        let terms = catalyst_operator::store::VoucherTerms(&issue.voucher, code);
        self.books.door.accept_voucher(terms).await
    }

    /// A caller that goes away, a backend that is killed, a client that takes back what it did.
    async fn end_in_the_middle(&mut self) {
        match self.random.below(3) {
            0 => {
                let patience = Duration::from_micros(self.random.below(3_000));
                let _late = tokio::time::timeout(patience, self.call()).await;
            }
            1 => {
                let kill = "select count(pg_terminate_backend(pid)) from (select pid \
                            from pg_stat_activity where datname = current_database() \
                            and application_name = 'catalyst-operator' and state = 'active' \
                            limit 1) as one";
                self.books.database.one::<i64>(kill).await;
            }
            _ => self.take_back().await,
        }
    }

    async fn take_back(&mut self) {
        let (org, code) = (self.org(), self.code());
        let order = self.some_order(&org).await;
        let digest = Code::parse(&code).unwrap().digest();
        let calls = [
            format!(
                "redeem_v1('omantel', null, 'redeem/{org}/{code}/0', '\\x{digest}', '{org}', \
                 'catalyst-zero', 'm')"
            ),
            format!("capture_v1('omantel', null, {order})"),
            format!("release_v1('omantel', null, {order})"),
            format!("order_v1('omantel', null, '{org}', 'catalyst-zero', 'm')"),
            format!("retire_v1('omantel', null, '{}')", code.to_lowercase()),
        ];
        let call = &calls[self.random.index(calls.len())];
        let mut transaction = self.books.database.admin.begin().await.unwrap();
        // It may fail as any statement may; there is nothing to keep of it.
        let _taken_back = transaction.execute(AssertSqlSafe(format!("select from {call}"))).await;
        transaction.rollback().await.unwrap();
    }
}

async fn stir(books: &Books, age: &Arc<AtomicU64>, seed: u64, until: Instant) -> u64 {
    let done = Arc::new(AtomicU64::new(0));
    let stores: Vec<_> = (0..4).map(|_| books.database.another_store(8)).collect();
    // Another franchise on the same cluster knows the same names.
    let other = books.franchise("ooredoo").await;
    let workers = (0..WORKERS).zip(0..).map(|(n, number): (u64, usize)| {
        let door = stores[number % stores.len()].door();
        let books = if n % 8 == 7 { &other } else { books };
        let mut worker = Worker {
            books: Books { door, ..books.clone() },
            random: Random::new(seed + n),
            done: done.clone(),
            age: age.clone(),
        };
        tokio::spawn(async move {
            while Instant::now() < until {
                worker.turn().await;
            }
        })
    });
    let mut workers: Vec<_> = workers.collect();
    // Time goes on too, so that holds lapse, credit expires and periods end.
    let (clock, age) = (books.clone(), age.clone());
    workers.push(tokio::spawn(async move {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(100)).await;
            clock.advance("9 hours").await;
            age.fetch_add(1, Ordering::Relaxed);
        }
    }));
    for worker in join_all(workers).await {
        worker.unwrap();
    }
    for store in stores {
        store.close().await;
    }
    done.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_thirty_two_workers_do_at_once_the_books_are_sound() {
    let books = books().await;
    let end = Instant::now() + Duration::from_secs(effort("SOUP_SECONDS", 5));
    let (age, mut round) = (Arc::default(), 0);
    while Instant::now() < end {
        round += 1;
        let until = end.min(Instant::now() + Duration::from_mins(1));
        let done = stir(&books, &age, effort("SEED", 1) + 1_000 * round, until).await;
        assert!(done > 0, "nothing was done");
        books.assert_sound().await;
        let idle = "pg_stat_activity where datname = current_database() \
                    and state like 'idle in transaction%'";
        assert_eq!(books.count(idle).await, 0);
    }
    let kinds = "select string_agg(distinct kind, ' ' order by kind) from transfer";
    let kinds: String = books.database.one(kinds).await;
    assert!(kinds.contains("capture") && kinds.contains("redeem"), "{kinds}");
}
