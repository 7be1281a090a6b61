-- I17 red: ledger::fencing::a_call_under_an_earlier_epoch_is_fenced_and_changes_nothing
select pg_temp.mutate('admit', 'where l.epoch = p_epoch', 'where true');
