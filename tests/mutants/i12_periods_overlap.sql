-- I12 red: ledger::clock::the_next_period_can_be_ordered_when_the_first_has_ended
alter table period drop constraint period_no_overlap;
select pg_temp.mutate('quote', 'l.ends_at <= p_at', 'true');
