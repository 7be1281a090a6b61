-- I11 red: ledger::billing::a_hold_is_captured_once_and_says_the_same_bytes_again
alter table hold drop constraint hold_captured_by_a_transfer;
select pg_temp.mutate('capture_v1', 'capture = id', 'capture = null');
