-- I7 red: ledger::terms::the_first_holder_of_a_code_keeps_it_until_it_goes
alter table voucher drop constraint voucher_code_once;
select pg_temp.mutate('accept_voucher_v1', 'v.holder <> p_holder', 'false');
