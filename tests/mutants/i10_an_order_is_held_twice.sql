-- I10 red: ledger::billing::enough_credit_is_held_and_the_rest_can_be_spent
drop index hold_one_live;
select pg_temp.mutate('place_hold', 'or h.state in (''held'', ''captured'')', '');
