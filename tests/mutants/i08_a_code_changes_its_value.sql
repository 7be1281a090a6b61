-- I8 red: ledger::terms::a_code_comes_back_only_with_the_value_that_it_had
alter table voucher_revision drop constraint voucher_value_never_changes;
select pg_temp.mutate('accept_voucher_v1',
    'if (v.sovereign, v.currency, v.amount) <> (p_sovereign, p_currency, p_amount) then',
    'if false then');
