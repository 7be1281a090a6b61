-- I29 red: ledger::seals::two_sealers_at_once_make_one_chain
select pg_temp.mutate('seal_v1', 'perform pg_advisory_xact_lock(hashtext(''ledger seal''));', '');
