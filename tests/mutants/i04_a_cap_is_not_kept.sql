-- I4 red: ledger::cap::two_hundred_callers_of_forty_processes_redeem_a_cap_of_fifty_exactly
alter table voucher_counter drop constraint voucher_cap;
select pg_temp.mutate('redeem_one', 'and (c.cap is null or c.used < c.cap)', '');
select pg_temp.mutate('redeem_batch_v1', 'and (c.cap is null or c.used + e.n <= c.cap)', '');
