-- I9 red: ledger::redemption::the_same_key_with_other_input_is_refused
drop index transfer_key;
select pg_temp.mutate('judge', 'and y.key = q.key', 'and false');
