-- I31 red: ledger::clusters::of_many_organizations_each_is_condemned_whole
select pg_temp.mutate('condemn_v1', 'and i.abandoned_at is not null',
    'and i.uid in (select uid from tombstones(f.franchise, p_sovereign))');
