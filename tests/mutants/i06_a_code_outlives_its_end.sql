-- I6 red: ledger::clock::a_window_opens_and_closes_by_the_ledgers_clock
select pg_temp.mutate('judge', 'when t.now >= r.expires_at then', 'when false then');
