-- I13 red: ledger::billing::an_order_does_not_act_on_an_account_that_was_made_after_it_looked
select pg_temp.mutate('order_v1', 'x.account = any (mine)',
    'x.kind = ''customer'' and x.organization = p_organization');
