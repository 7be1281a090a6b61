-- I9 red: ledger::redemption::the_same_key_answers_the_same_bytes_whatever_happened_since
select pg_temp.mutate('judge', 'then e.response', 'then concat(c.used, e.response)');
