-- I25 red: ledger::eligibility::credit_expires_when_it_was_promised_to_and_no_sweeper_is_needed
select pg_temp.mutate('spendable', 'where l.expires_at > p_until', '');
