-- I31 red: ledger::clusters::what_an_organization_is_given_back_is_not_condemned_meanwhile
alter table inventory drop constraint inventory_condemned;
select pg_temp.mutate('condemn_v1', 'order by organization for no key update', '');
select pg_temp.mutate('condemn_v1', 'and i.abandoned_at is not null', '');
