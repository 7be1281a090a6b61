-- I3 red: ledger::billing::too_little_credit_is_short_and_what_was_redeemed_stays
alter table account drop constraint account_no_overdraft;
select pg_temp.mutate('place_hold', 'if available < needed then', 'if false then');
select pg_temp.mutate('place_hold', 'if rest > 0 then raise', 'if false then raise');
