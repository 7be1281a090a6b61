-- I20 red: ledger::keys::a_correction_happens_once_under_its_key
alter table correction drop constraint correction_key;
select pg_temp.mutate('corrected', 'and c.key = p_key', 'and false');
select pg_temp.mutate('credit_v1', 'on conflict (franchise, key) do nothing', '');
select pg_temp.mutate('reverse_v1', 'on conflict (franchise, key) do nothing', '');
select pg_temp.mutate('close_v1', 'on conflict (franchise, key) do nothing', '');
