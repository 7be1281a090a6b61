-- I7 red: ledger::terms::an_object_that_takes_another_code_retires_its_former_one
drop index voucher_holder;
select pg_temp.mutate('accept_voucher_v1', 'x.holder = p_holder and', 'false and');
