-- What a person does to an account without a voucher: more credit, an entry taken back, an account
-- closed. Each call names a reason, an actor and a key; the same key with the same input answers
-- with the same bytes, and with another input it is refused.

-- What was answered under a key before, or KeyReused; nothing where the key is new or cannot be.
create function corrected(p_franchise int, p_key text, p_input jsonb,
    out outcome text, out detail text) language plpgsql stable as $$
declare e record;
begin
    select c.kind, c.input, c.response into e from correction c
        where c.franchise = p_franchise and c.key = p_key;
    if not found then return; end if;
    if e.input <> p_input then outcome := 'KeyReused'; return; end if;
    outcome := case e.kind
        when 'credit' then 'Credited' when 'reverse' then 'Reversed' else 'Closed' end;
    detail := e.response;
end $$;

-- Why what a person says of a correction cannot be kept; null where it can.
create function uncorrectable(p_key text, p_reason text, p_actor text, out outcome text)
language plpgsql immutable as $$
begin
    outcome := case
        when coalesce(octet_length(p_key), 0) not between 1 and 150 then 'KeyInvalid'
        when coalesce(length(p_reason), 0) not between 1 and 500
            or coalesce(length(p_actor), 0) not between 1 and 200 then 'ReasonNeeded'
    end;
end $$;

-- Gives an organization credit that it paid for elsewhere, or that it is owed. It is spent after
-- what vouchers granted, and expires after `p_expires_after` if that is given.
create function credit_v1(p_namespace text, p_key text, p_reason text, p_actor text,
    p_organization text, p_currency text, p_amount bigint, p_expires_after text,
    out outcome text, out detail text)
language plpgsql as $$
declare f record; a record; mine bigint[]; id bigint; t timestamptz; asked jsonb;
begin
    select * into f from admit(p_namespace, null);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    outcome := uncorrectable(p_key, p_reason, p_actor);
    if outcome is not null then return; end if;
    mine := lock_accounts(f.franchise, p_organization);
    asked := jsonb_build_object('credit', p_organization, 'currency', p_currency,
        'amount', p_amount, 'expires_after', p_expires_after, 'reason', p_reason,
        'actor', p_actor);
    select * into outcome, detail from corrected(f.franchise, p_key, asked);
    if outcome is not null then return; end if;
    select x.account, x.posted, x.suspended into a from account x where x.franchise = f.franchise
        and x.account = any (mine) and x.currency = p_currency;
    if not found then outcome := 'NoOrganization'; return; end if;
    if a.suspended then outcome := 'NotEligible'; return; end if;
    if p_amount is null or p_amount not between 1 and 1000000000000000
        or a.posted > 1000000000000000000 - p_amount then
        outcome := 'AmountInvalid'; return;
    end if;
    t := ledger.now();
    detail := jsonb_build_object('api', 'v1', 'outcome', 'Credited',
        'organization', p_organization, 'amount', p_amount, 'currency', p_currency)::text;
    insert into correction (franchise, kind, account, currency, key, input, reason, actor, at,
        response)
    values (f.franchise, 'credit', a.account, p_currency, p_key, asked, p_reason, p_actor, t,
        detail)
    on conflict (franchise, key) do nothing returning correction into id;
    if id is null then raise 'a twin holds this key' using errcode = '40001'; end if;
    insert into transfer (franchise, kind, debit, credit, currency, amount, at, key, response,
        priority, expires_at, correction)
    select f.franchise, 'credit', s.account, a.account, p_currency, p_amount, t,
        concat('correction/', id), '', 20, coalesce(t + p_expires_after::interval, 'infinity'), id
    from account s where s.franchise = f.franchise and s.kind = 'external'
        and s.currency = p_currency;
    update account set posted = posted + p_amount
        where franchise = f.franchise and account = a.account;
    outcome := 'Credited';
end $$;

-- Takes an entry that granted credit back, once: what is left of it goes back to where it came
-- from, and what was spent of it is owed by the organization. The redemption stays counted.
create function reverse_v1(p_namespace text, p_key text, p_reason text, p_actor text,
    p_entry bigint, out outcome text, out detail text)
language plpgsql as $$
declare f record; e record; l record; owing bigint; id bigint; t timestamptz; asked jsonb;
begin
    select * into f from admit(p_namespace, null);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    outcome := uncorrectable(p_key, p_reason, p_actor);
    if outcome is not null then return; end if;
    select x.*, a.organization into e from transfer x
        join account a on a.franchise = x.franchise and a.account = x.credit
        where x.franchise = f.franchise and x.transfer = p_entry;
    if not found then outcome := 'NoEntry'; return; end if;
    if e.priority is null then outcome := 'NotReversible'; return; end if;
    perform lock_accounts(f.franchise, e.organization);
    asked := jsonb_build_object('reverse', p_entry, 'reason', p_reason, 'actor', p_actor);
    select * into outcome, detail from corrected(f.franchise, p_key, asked);
    if outcome is not null then return; end if;
    if exists (select from correction c
        where c.franchise = f.franchise and c.reverses = p_entry) then
        outcome := 'AlreadyReversed'; return;
    end if;
    t := ledger.now();
    perform lapse(f.franchise, e.credit, t);
    perform expire(f.franchise, null, e.credit, t);
    select * into l from lots(f.franchise, e.credit, t) x where x.lot = p_entry;
    if l.held > 0 then outcome := 'CreditHeld'; return; end if;
    detail := jsonb_build_object('api', 'v1', 'outcome', 'Reversed', 'entry', p_entry,
        'taken_back', l.free, 'owed', l.used, 'currency', e.currency)::text;
    insert into correction (franchise, kind, account, currency, reverses, key, input, reason,
        actor, at, response)
    values (f.franchise, 'reverse', e.credit, e.currency, p_entry, p_key, asked, p_reason, p_actor,
        t, detail)
    on conflict (franchise, key) do nothing returning correction into id;
    if id is null then raise 'a twin holds this key' using errcode = '40001'; end if;
    perform take_lot(f.franchise, null, 'reverse', p_entry, concat('correction/', id), id, t);
    if l.used > 0 then
        insert into account (franchise, kind, organization, currency)
            values (f.franchise, 'receivable', e.organization, e.currency) on conflict do nothing;
        select account into owing from account where franchise = f.franchise
            and kind = 'receivable' and organization = e.organization and currency = e.currency;
        insert into transfer (franchise, kind, debit, credit, currency, amount, at, key, response,
            lot, correction)
        values (f.franchise, 'owe', owing, e.debit, e.currency, l.used, t,
            concat('correction/', id, '/owe'), '', p_entry, id);
    end if;
    outcome := 'Reversed';
end $$;

-- Closes the account of an organization that sleeps: what is left of its credit goes back to where
-- it came from, and the account neither redeems nor pays any more.
create function close_v1(p_namespace text, p_key text, p_reason text, p_actor text,
    p_organization text, p_currency text, out outcome text, out detail text)
language plpgsql as $$
declare f record; a record; l record; mine bigint[]; id bigint; t timestamptz; asked jsonb;
    total bigint := 0;
begin
    select * into f from admit(p_namespace, null);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    outcome := uncorrectable(p_key, p_reason, p_actor);
    if outcome is not null then return; end if;
    mine := lock_accounts(f.franchise, p_organization);
    asked := jsonb_build_object('close', p_organization, 'currency', p_currency,
        'reason', p_reason, 'actor', p_actor);
    select * into outcome, detail from corrected(f.franchise, p_key, asked);
    if outcome is not null then return; end if;
    select x.account, x.currency into a from account x where x.franchise = f.franchise
        and x.account = any (mine) and x.currency = p_currency;
    if not found then outcome := 'NoOrganization'; return; end if;
    if exists (select from organization o where o.franchise = f.franchise
        and o.organization = p_organization and o.tenant is not null) then
        outcome := 'TenantsRemain'; return;
    end if;
    t := ledger.now();
    perform lapse(f.franchise, a.account, t);
    if exists (select from hold h where h.franchise = f.franchise and h.account = a.account
        and h.state = 'held') then
        outcome := 'CreditHeld'; return;
    end if;
    perform expire(f.franchise, null, a.account, t);
    select coalesce(sum(x.free), 0) into total from lots(f.franchise, a.account, t) x;
    detail := jsonb_build_object('api', 'v1', 'outcome', 'Closed',
        'organization', p_organization, 'taken_back', total, 'currency', a.currency)::text;
    insert into correction (franchise, kind, account, currency, key, input, reason, actor, at,
        response)
    values (f.franchise, 'close', a.account, a.currency, p_key, asked, p_reason, p_actor, t,
        detail)
    on conflict (franchise, key) do nothing returning correction into id;
    if id is null then raise 'a twin holds this key' using errcode = '40001'; end if;
    for l in select x.lot from lots(f.franchise, a.account, t) x where x.free > 0 loop
        perform take_lot(f.franchise, null, 'close', l.lot,
            concat('correction/', id, '/', l.lot), id, t);
    end loop;
    update account set suspended = true where franchise = f.franchise and account = a.account;
    outcome := 'Closed';
end $$;
