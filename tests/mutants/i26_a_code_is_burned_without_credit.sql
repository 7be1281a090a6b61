-- I26 red: ledger::redemption::a_redeemed_voucher_is_credit_a_counter_and_a_row_that_agree
select pg_temp.mutate('redeem_one', 'set posted = a.posted + j.amount', 'set posted = a.posted');
