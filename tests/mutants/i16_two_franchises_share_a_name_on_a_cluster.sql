-- I16 red: ledger::names::on_one_cluster_an_organization_belongs_to_one_franchise
drop index organization_on_cluster;
select pg_temp.mutate('claim_v1', 'and x.franchise <> f.franchise)', 'and false)');
