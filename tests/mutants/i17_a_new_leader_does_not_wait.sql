-- I17 red: ledger::fencing::a_new_leader_waits_for_what_the_last_one_has_in_flight
select pg_temp.mutate('admit',
    'perform pg_advisory_xact_lock_shared(hashtext(''ledger leadership''));',
    '');
