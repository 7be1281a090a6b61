-- I30 red: ledger::seals::a_slow_transaction_holds_the_seals_back_and_never_slips_behind_them
select pg_temp.mutate('seal_v1', 'pg_snapshot_xmin', 'pg_snapshot_xmax');
