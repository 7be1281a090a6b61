-- I6 red: ledger::secrecy::a_code_that_is_gone_answers_exactly_as_one_that_never_was
select pg_temp.mutate('retire_lineage', '''Retired'', ledger.now()', '''Active'', ledger.now()');
select pg_temp.mutate('retire_lineage', 'open = false', 'open = true');
