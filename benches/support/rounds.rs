//! One round: some callers, each of which redeems, waits for its own answer and redeems again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use catalyst_operator::{
    domain::code::{Code, Digest},
    store::{Door, Store},
};
use sqlx::{
    Connection as _, Executor as _, PgConnection, Postgres,
    pool::PoolConnection,
    postgres::{PgPool, PgPoolOptions},
};
use tokio::sync::{Barrier, Mutex};

use super::{Outcome, ledger, predecessor};

/// How long the callers go on.
const ROUND: Duration = Duration::from_millis(1200);
/// More than any round can redeem of one voucher.
const CUSTOMERS: usize = 80_000;
const SPREAD_VOUCHERS: usize = 1000;
/// A cap that is checked each time and never reached.
const CAP: Option<i32> = Some(1_000_000);
/// As many connections as the predecessor's pool has; more callers than that wait for one.
const POOL: usize = 32;

/// Of all but the transfers, so that the planner does not believe that there are none of them.
const SETTLE: &str = "vacuum analyze ledger.account, ledger.organization, ledger.voucher, \
                      ledger.voucher_counter, ledger.voucher_revision, predecessor.customers, \
                      predecessor.promo_codes";

#[derive(Clone, Copy)]
pub(crate) enum Workload {
    /// All callers want the same capped voucher.
    Hot,
    /// All want the same one, which has no cap.
    Unlimited,
    /// They want one of a thousand.
    Spread,
}

impl Workload {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Unlimited => "unlimited",
            Self::Spread => "spread",
        }
    }
}

/// A way to redeem, with what its callers hold on to between the rounds.
pub(crate) enum Side {
    Ours {
        door: Door,
        callers: usize,
    },
    /// Each caller has a connection of its own and keeps it, as it would in a pool that is as
    /// large and never checks what it lends; if there are more callers than the pool has
    /// connections, each waits for one each time.
    Predecessor {
        pool: PgPool,
        kept: Vec<Mutex<PoolConnection<Postgres>>>,
        callers: usize,
    },
}

impl Side {
    pub(crate) fn ours(door: Door, callers: usize) -> Self {
        Self::Ours { door, callers }
    }

    pub(crate) async fn predecessor(url: &str, callers: usize) -> Outcome<Self> {
        let connections = callers.min(POOL);
        let pool = PgPoolOptions::new()
            .max_connections(u32::try_from(connections)?)
            .test_before_acquire(false)
            .connect(url)
            .await?;
        let mut kept = vec![];
        for _ in 0..connections {
            kept.push(Mutex::new(pool.acquire().await?));
        }
        // Opened all the same, so that no round makes connections.
        if callers > POOL {
            kept.clear();
        }
        Ok(Self::Predecessor { pool, kept, callers })
    }

    fn callers(&self) -> usize {
        match self {
            Self::Ours { callers, .. } | Self::Predecessor { callers, .. } => *callers,
        }
    }
}

/// What a round came to.
pub(crate) struct Round {
    /// How long each call took, sorted.
    calls: Vec<Duration>,
    took: Duration,
}

impl Round {
    /// Redemptions per second.
    #[allow(clippy::cast_precision_loss, reason = "thousands")]
    pub(crate) fn rate(&self) -> f64 {
        self.calls.len() as f64 / self.took.as_secs_f64()
    }

    /// The median call, in milliseconds.
    pub(crate) fn p50(&self) -> f64 {
        self.percentile(50)
    }

    /// What one call in a hundred takes longer than, in milliseconds.
    pub(crate) fn p99(&self) -> f64 {
        self.percentile(99)
    }

    fn percentile(&self, percent: usize) -> f64 {
        let call = self.calls.get(self.calls.len() * percent / 100);
        call.map_or(f64::NAN, Duration::as_secs_f64) * 1e3
    }
}

/// Customers and vouchers, in pairs of which each is used once.
struct Pairs {
    vouchers: Vec<(String, Digest)>,
    customers: Arc<Vec<String>>,
    next: AtomicUsize,
}

impl Pairs {
    fn next(&self) -> Outcome<(&(String, Digest), &str)> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = n / self.customers.len();
        let voucher = self.vouchers.get((n + turn) % self.vouchers.len());
        let customer = self.customers.get(n % self.customers.len());
        match (voucher, customer) {
            (Some(voucher), Some(customer)) if turn < self.vouchers.len() => {
                Ok((voucher, customer))
            }
            _ => Err("there are no customers left".into()),
        }
    }
}

/// What one side has: its customers, and what was redeemed so far.
struct Books {
    customers: Arc<Vec<String>>,
    spread: Arc<Pairs>,
    redeemed: usize,
}

/// The database of both sides.
pub(crate) struct Shared {
    admin: PgConnection,
    door: Door,
    ours: Books,
    theirs: Books,
    hot_vouchers: usize,
}

impl Shared {
    /// Makes customers and the thousand vouchers, the same on both sides.
    pub(crate) async fn prepare(url: &str) -> Outcome<Self> {
        let mut admin = PgConnection::connect(url).await?;
        let store = Store::new(url, 1)?;
        let door = store.door();
        ledger::prepare(&mut admin, &door, CUSTOMERS).await?;
        predecessor::prepare(&mut admin, CUSTOMERS).await?;
        for n in 0..SPREAD_VOUCHERS {
            make_voucher(&mut admin, &door, &spread(n), CAP).await?;
        }
        admin.execute(SETTLE).await?;
        store.close().await;
        Self::open(url).await
    }

    /// What was prepared in this database, or in the one that it is a copy of.
    pub(crate) async fn open(url: &str) -> Outcome<Self> {
        let mut admin = PgConnection::connect(url).await?;
        let door = Store::new(url, 1)?.door();
        let mut vouchers = vec![];
        for code in (0..SPREAD_VOUCHERS).map(spread) {
            let digest = Code::parse(&code)?.digest();
            vouchers.push((code, digest));
        }
        let ours = Arc::new(ledger::customers(&mut admin).await?);
        let theirs = Arc::new(predecessor::customers(&mut admin).await?);
        let books = |customers: Arc<Vec<String>>| {
            let (vouchers, next) = (vouchers.clone(), AtomicUsize::new(0));
            let spread = Arc::new(Pairs { vouchers, customers: customers.clone(), next });
            Books { customers, spread, redeemed: 0 }
        };
        let (ours, theirs) = (books(ours), books(theirs));
        Ok(Self { admin, door, ours, theirs, hot_vouchers: 0 })
    }

    /// Lets the callers of a side redeem for a while. A hot voucher is a new one in each round.
    pub(crate) async fn round(&mut self, workload: Workload, side: &Arc<Side>) -> Outcome<Round> {
        let cap = if matches!(workload, Workload::Hot) { CAP } else { None };
        let hot = match workload {
            Workload::Spread => None,
            Workload::Hot | Workload::Unlimited => {
                self.hot_vouchers += 1;
                let code = format!("HOT-{}", self.hot_vouchers);
                Some(make_voucher(&mut self.admin, &self.door, &code, cap).await?)
            }
        };
        let books = match **side {
            Side::Ours { .. } => &mut self.ours,
            Side::Predecessor { .. } => &mut self.theirs,
        };
        let pairs = match hot {
            None => books.spread.clone(),
            Some(voucher) => Arc::new(Pairs {
                vouchers: vec![voucher],
                customers: books.customers.clone(),
                next: AtomicUsize::new(0),
            }),
        };
        let round = run(side, &pairs).await?;
        books.redeemed += round.calls.len();
        Ok(round)
    }

    /// What a redemption takes in the books, with its indexes.
    pub(crate) async fn bytes_per_redemption(&mut self) -> Outcome<f64> {
        let size = "select pg_total_relation_size('ledger.transfer')::float8 \
                    / count(*) from ledger.transfer";
        Ok(sqlx::query_scalar(size).fetch_one(&mut self.admin).await?)
    }

    /// Compares the books of both sides with what the callers were told.
    pub(crate) async fn check(&mut self) -> Outcome<()> {
        ledger::check(&mut self.admin, self.ours.redeemed).await?;
        predecessor::check(&mut self.admin, self.theirs.redeemed).await
    }
}

fn spread(n: usize) -> String {
    format!("SPREAD-{n}")
}

/// The same voucher on both sides.
async fn make_voucher(
    admin: &mut PgConnection,
    door: &Door,
    code: &str,
    cap: Option<i32>,
) -> Outcome<(String, Digest)> {
    predecessor::make_voucher(admin, code, cap).await?;
    Ok((code.to_owned(), ledger::make_voucher(door, code, cap).await?))
}

async fn run(side: &Arc<Side>, pairs: &Arc<Pairs>) -> Outcome<Round> {
    let barrier = Arc::new(Barrier::new(side.callers() + 1));
    let mut callers = vec![];
    for caller in 0..side.callers() {
        let (side, pairs, barrier) = (side.clone(), pairs.clone(), barrier.clone());
        callers.push(tokio::spawn(async move {
            barrier.wait().await;
            call(&side, &pairs, caller).await
        }));
    }
    barrier.wait().await;
    let begun = Instant::now();
    let mut calls = vec![];
    for caller in callers {
        calls.extend(caller.await??);
    }
    let took = begun.elapsed();
    calls.sort();
    Ok(Round { calls, took })
}

/// One caller, until the time is up.
async fn call(side: &Side, pairs: &Pairs, caller: usize) -> Outcome<Vec<Duration>> {
    let (begun, mut calls) = (Instant::now(), vec![]);
    while begun.elapsed() < ROUND {
        let ((code, digest), customer) = pairs.next()?;
        let asked = Instant::now();
        match side {
            Side::Ours { door, .. } => ledger::redeem(door, (code, *digest), customer).await?,
            Side::Predecessor { pool, kept, .. } => match kept.get(caller) {
                Some(kept) => predecessor::redeem(&mut *kept.lock().await, code, customer).await?,
                None => predecessor::redeem(&mut *pool.acquire().await?, code, customer).await?,
            },
        }
        calls.push(asked.elapsed());
    }
    Ok(calls)
}
