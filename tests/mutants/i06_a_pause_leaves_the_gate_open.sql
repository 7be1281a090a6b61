-- I6 red: ledger::pause::no_redemption_commits_after_a_pause_is_acknowledged
select pg_temp.mutate('accept_voucher_v1', 'open = excluded.open', 'open = c.open');
select pg_temp.mutate('accept_voucher_v1',
    'set revision = excluded.revision',
    'set revision = c.revision');
