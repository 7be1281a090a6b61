-- I19 red: ledger::gate::redemptions_that_wait_together_for_the_last_of_a_budget_do_not_share_it
alter table voucher_counter drop constraint voucher_budget;
select pg_temp.mutate('redeem_one', 'and (c.budget is null or c.spent + e.amount <= c.budget)', '');
select pg_temp.mutate('redeem_batch_v1',
    'and (c.budget is null or c.spent + e.amount <= c.budget)', '');
