-- I5 red: ledger::redemption::an_account_redeems_a_voucher_once
drop index transfer_claim;
select pg_temp.mutate('redeem_one',
    'and x.voucher = v.voucher and x.credit = a.account)',
    'and false)');
