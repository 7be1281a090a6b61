//! Every statement of the program, so that one test can prepare them all on the real schema.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident: $text:literal)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*
        /// All of them, by name.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

statements! {
    /// The level that may serve, whether our role could write, what a crash could lose, and whether
    /// the server takes no writes.
    CHECK: "select least_program, exists (select from pg_class c \
            where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p') \
            and has_table_privilege(c.oid, 'insert, update, delete, truncate')), durability, \
            current_setting('transaction_read_only')::boolean \
            from ledger.level_v1()"
    /// The next leader's epoch.
    BEGIN_LEADERSHIP: "select ledger.begin_leadership_v1()"
    /// The epoch in force.
    CURRENT_EPOCH: "select ledger.current_epoch_v1()"
    /// Raises the floor of ledger time.
    TICK: "select ledger.tick_v1()::text"
    /// Accepts a Sovereign and its plans.
    ACCEPT_SOVEREIGN: "select outcome, detail::text \
                       from ledger.accept_sovereign_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    /// Accepts that the namespace of a franchise was made anew.
    ACCEPT_FRANCHISE: "select outcome, detail::text from ledger.accept_franchise_v1($1, $2, $3)"
    /// Pins the database to its hub, or says which it is.
    PIN_HUB: "select outcome, detail from ledger.pin_hub_v1($1)"
    /// Gives the database to another hub.
    ADOPT_HUB: "select outcome, detail from ledger.adopt_hub_v1($1)"
    /// Gives an organization credit.
    CREDIT: "select outcome, detail from ledger.credit_v1($1, $2, $3, $4, $5, $6, $7, $8)"
    /// Takes an entry back.
    REVERSE: "select outcome, detail from ledger.reverse_v1($1, $2, $3, $4, $5)"
    /// Closes an account.
    CLOSE: "select outcome, detail from ledger.close_v1($1, $2, $3, $4, $5, $6)"
    /// Notes whether the cluster of a Sovereign answers.
    REACH_SOVEREIGN: "select outcome, detail::text from ledger.reach_sovereign_v1($1, $2, $3, $4)"
    /// Accepts that a Sovereign lives on another cluster.
    ACCEPT_CLUSTER: "select outcome, detail::text from ledger.accept_cluster_v1($1, $2, $3, $4)"
    /// Gives up what stands on a cluster that does not answer.
    ABANDON: "select outcome, detail::text from ledger.abandon_v1($1, $2, $3, $4)"
    /// Condemns what was given up.
    CONDEMN: "select outcome, detail::text from ledger.condemn_v1($1, $2, $3)"
    /// Closes a Sovereign.
    CLOSE_SOVEREIGN: "select outcome, detail::text from ledger.close_sovereign_v1($1, $2, $3)"
    /// Accepts a Voucher's terms.
    ACCEPT_VOUCHER: "select outcome, detail::text from ledger.accept_voucher_v1($1, $2, $3, $4, \
                     $5, $6, $7, $8, $9, $10, $11, $12, $13, \
                     coalesce($14::timestamptz, '-infinity'), \
                     coalesce($15::timestamptz, 'infinity'), $16, $17, $18, $19)"
    /// Retires a Voucher's code.
    RETIRE: "select outcome, detail::text from ledger.retire_v1($1, $2, $3)"
    /// Gives an organization to a Tenant.
    CLAIM: "select outcome, detail::text from ledger.claim_v1($1, $2, $3, $4, $5, $6)"
    /// Puts an organization to sleep.
    LEAVE: "select outcome, detail::text from ledger.leave_v1($1, $2, $3, $4)"
    /// Orders the next period.
    ORDER: "select outcome, detail::text from ledger.order_v1($1, $2, $3, $4, $5)"
    /// Redeems one code.
    REDEEM: "select outcome, detail from ledger.redeem_v1($1, $2, $3, $4, $5, $6, $7)"
    /// Redeems several codes in one commit.
    REDEEM_BATCH: "select outcomes, details \
                   from ledger.redeem_batch_v1($1, $2, $3, $4, $5, $6, $7)"
    /// Redeems codes and holds what an order costs.
    REDEEM_AND_HOLD: "select outcome, detail::text \
                      from ledger.redeem_and_hold_v1($1, $2, $3, $4, $5, $6, $7, $8)"
    /// Spends what is held.
    CAPTURE: "select outcome, detail from ledger.capture_v1($1, $2, $3)"
    /// Gives back what is held.
    RELEASE: "select outcome, detail::text from ledger.release_v1($1, $2, $3)"
    /// Judges a deletion.
    JUDGE_DELETION: "select outcome, detail::text \
                     from ledger.judge_deletion_v1($1, $2, $3, $4, $5::timestamptz, $6::boolean, \
                     nullif($7, ''))"
    /// Answers a deletion that is held.
    ANSWER_DELETION: "select outcome, detail::text from ledger.answer_deletion_v1($1, $2, $3, $4)"
    /// What stood before counts again when it is said again.
    FORGET_WORD: "select outcome, detail::text from ledger.forget_word_v1($1, $2)"
    /// Lets a franchise go on under the next UID of its namespace.
    EXPECT_SUCCESSOR: "select outcome, detail::text from ledger.expect_successor_v1($1, $2)"
    /// What was judged of a deletion, and of others at that time.
    OBSERVE_DELETIONS: "select ledger.observe_deletions_v1($1, $2, $3::timestamptz)"
    /// The Tenants of every Sovereign.
    OBSERVE_AWAKE: "select ledger.observe_awake_v1()"
    /// Writes down what is about to be made, or its UID.
    JOURNAL: "select outcome, detail::text from ledger.journal_v1($1, $2, $3, $4, $5)"
    /// Strikes out what is gone.
    FORGET: "select outcome, detail::text from ledger.forget_v1($1, $2, $3, $4, $5)"
    /// What there is to know of a Sovereign.
    OBSERVE_SOVEREIGN: "select ledger.observe_sovereign_v1($1, $2, $3)"
    /// What there is to know of a Voucher.
    OBSERVE_VOUCHER: "select ledger.observe_voucher_v1($1, $2, $3, $4)"
    /// What there is to know of a Tenant.
    OBSERVE_TENANT: "select ledger.observe_tenant_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    /// Who is concerned by what was committed since a point.
    CHANGES: "select point, kind, namespace, name from ledger.changes_v1($1)"
    /// Tells the followers to look.
    NOTIFY: "select pg_notify('ledger', '')::text"
    /// An account as its customer reads it.
    STATEMENT: "select ledger.statement_v1($1, $2, $3::timestamptz)"
    /// Violations of the invariants.
    VERIFY: "select invariant, namespace, what from ledger.verify_v1()"
    /// What does not agree with the seals.
    VERIFY_SEALED: "select invariant, namespace, what from ledger.verify_sealed_v1()"
    /// Seals what is committed.
    SEAL: "select outcome, detail::text from ledger.seal_v1($1)"
    /// The last blocks, and the hashes of others.
    SEALS: "select ledger.seals_v1($1, $2)"
    /// Stops the money of a franchise.
    FREEZE: "select outcome, detail::text from ledger.freeze_v1($1, $2, $3, $4)"
    /// Lets the money of a franchise move again.
    THAW: "select outcome, detail::text from ledger.thaw_v1($1, $2, $3)"
}
