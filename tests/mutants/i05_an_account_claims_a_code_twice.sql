-- I5 red: ledger::redemption::an_account_redeems_a_voucher_once
drop index transfer_claim;
select pg_temp.mutate('judge', 'and y.credit = a.account and y.voucher = v.voucher', 'and false');
