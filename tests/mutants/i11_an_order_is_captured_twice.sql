-- I11 red: ledger::billing::a_hold_is_captured_once_and_says_the_same_bytes_again
select pg_temp.mutate('capture_v1',
    'if found then outcome := ''Captured''',
    'if false then outcome := ''Captured''');
