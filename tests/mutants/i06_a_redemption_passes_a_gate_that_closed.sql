-- I6 red: ledger::pause::redemptions_that_wait_behind_a_pause_do_not_pass_it
-- I6 red: ledger::gate::redemptions_that_wait_behind_a_retirement_do_not_pass_it
-- I6 red: ledger::gate::redemptions_that_wait_behind_an_end_do_not_pass_it
select pg_temp.mutate('redeem_one', 'and c.open', '');
select pg_temp.mutate('redeem_one', 'and c.revision = j.revision', '');
select pg_temp.mutate('redeem_batch_v1', 'and c.open', '');
select pg_temp.mutate('redeem_batch_v1', 'and c.revision = e.revision', '');
