-- I24 red: ledger::clock::a_month_that_begins_on_the_31st_of_january_ends_with_february
alter table period drop constraint period_is_a_month;
select pg_temp.mutate('next_month',
    'make_interval(months => x.months)',
    'make_interval(days => 30 * x.months)');
