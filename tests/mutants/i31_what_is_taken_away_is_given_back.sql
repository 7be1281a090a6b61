-- I31 red: ledger::clusters::what_is_condemned_meanwhile_is_not_given_back
-- I31 red: ledger::clusters::what_is_condemned_too_early_stays_and_in_time_is_not_given_back
alter table inventory drop constraint inventory_condemned;
select pg_temp.mutate('claim_v1', 'and not condemned', '');
