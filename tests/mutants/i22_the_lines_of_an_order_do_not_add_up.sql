-- I22 red: ledger::invariants::the_audit_names_every_damaged_row
select pg_temp.mutate('quote',
    'amount := lines[1] + lines[2]',
    'amount := lines[1] + lines[2] + 1');
