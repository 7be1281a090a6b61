-- I27 red: ledger::constraints::no_column_and_no_argument_of_the_ledger_is_a_float
alter table order_line alter amount type double precision;
