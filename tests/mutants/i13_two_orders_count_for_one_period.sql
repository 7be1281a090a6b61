-- I13 red: ledger::billing::an_order_is_priced_anew_until_credit_is_held_for_it
drop index orders_one_counts;
select pg_temp.mutate('order_v1', 'set voided = true', 'set voided = false');
