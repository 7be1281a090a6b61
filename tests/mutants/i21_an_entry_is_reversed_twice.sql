-- I21 red: ledger::keys::an_entry_is_reversed_once
alter table correction drop constraint correction_reverses_once;
select pg_temp.mutate('reverse_v1', 'and c.reverses = p_entry', 'and false');
