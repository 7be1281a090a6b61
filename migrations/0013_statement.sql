-- The account of an organization as its customer would read it.

-- Every entry that moved a balance, and what has expired though nobody booked it yet. Credit counts
-- until it expires, whenever that is booked, so that a statement reads the same before and after.
create function entries(p_franchise int, p_account bigint, p_at timestamptz)
returns table (at timestamptz, entry bigint, kind text, amount bigint, cause text)
language sql stable as $$
    select case x.kind when 'expire' then l.expires_at else x.at end, x.transfer, x.kind,
        case when x.credit = p_account then x.amount else -x.amount end,
        case x.kind
            when 'redeem' then 'voucher ' || v.hint
            when 'capture' then 'plan ' || o.plan || case when o.step = 0
                then ', period ' || o.period || ' (' || to_char(o.starts_at at time zone 'UTC',
                    'YYYY-MM-DD') || ' to ' || to_char(o.ends_at at time zone 'UTC', 'YYYY-MM-DD')
                    || ')'
                else ' for the rest of period ' || o.period end
            when 'expire' then 'credit of entry ' || x.lot || ' expired'
            when 'reverse' then 'entry ' || x.lot || ' taken back: ' || c.reason
            when 'close' then 'account closed: ' || c.reason
            else 'credit: ' || c.reason end
    from (select * from ledger.lot t
            where t.franchise = p_franchise and t.credit = p_account
        union all select * from ledger.transfer t
            where t.franchise = p_franchise and t.debit = p_account and t.priority is null) as x
    left join ledger.transfer l on l.franchise = x.franchise and l.transfer = x.lot
    left join ledger.voucher v on v.franchise = x.franchise and v.voucher = x.voucher
    left join ledger.correction c on c.franchise = x.franchise and c.correction = x.correction
    left join ledger.hold h on h.franchise = x.franchise and h.capture = x.transfer
    left join lateral (select * from ledger.paid p
        where p.franchise = h.franchise and p.ord = h.ord limit 1) as o on true
    union all
    select l.expires_at, null, 'expire', -l.free, 'credit of entry ' || l.lot || ' expired'
    from ledger.lots(p_franchise, p_account, p_at) l where l.expires_at <= p_at and l.free > 0
$$;

create function account_statement(p_franchise int, p_account bigint, p_since timestamptz,
    p_at timestamptz) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'currency', a.currency, 'decimals', c.decimals, 'closed', a.suspended,
        'opening', e.opening, 'lines', e.lines, 'closing', e.closing,
        'held', (select coalesce(sum(h.amount), 0)::bigint from hold h
            where h.franchise = a.franchise and h.account = a.account and h.state = 'held'
            and h.lapses_at > p_at),
        'spendable', spendable(a.franchise, a.account, p_at, p_at),
        'owed', (select coalesce(sum(x.amount), 0)::bigint from account r
            join transfer x on x.franchise = r.franchise and x.debit = r.account
            where r.franchise = a.franchise and r.kind = 'receivable'
            and r.organization = a.organization and r.currency = a.currency
            and x.priority is null),
        'lots', (select coalesce(jsonb_agg(jsonb_build_object('entry', l.lot,
                'source', case l.kind when 'redeem' then 'voucher ' || v.hint else 'credit' end,
                'granted', l.granted, 'left', l.free + l.held, 'held', l.held,
                'expires_at', utc(l.expires_at)) order by l.priority, l.expires_at, l.lot), '[]')
            from lots(a.franchise, a.account, p_at) l
            left join voucher v on v.franchise = a.franchise and v.voucher = l.voucher
            where l.held > 0 or l.free > 0 and l.expires_at > p_at),
        'paid_until', (select utc(l.ends_at) from last_paid(a.franchise, a.organization) l
            where l.currency = a.currency),
        'renewal', (select jsonb_build_object('due_at', utc(l.ends_at), 'plan', l.plan,
                'amount', coalesce(r.amount, l.price))
            from last_paid(a.franchise, a.organization) l
            join organization o on o.franchise = l.franchise and o.organization = l.organization
            left join lateral offer(a.franchise, a.organization, l.sovereign, l.plan) r on true
            where l.currency = a.currency and o.tenant is not null and (l.ends_at > p_at
                or exists (select from in_grace(a.franchise, a.organization, p_at)))))
    from account a join currency c on c.code = a.currency,
        -- Read once: there may be many.
        lateral (select
            coalesce(sum(x.amount) filter (where x.at < p_since), 0)::bigint as opening,
            coalesce(sum(x.amount), 0)::bigint as closing,
            coalesce(jsonb_agg(jsonb_build_object('at', utc(x.at), 'entry', x.entry,
                'kind', x.kind, 'amount', x.amount, 'cause', x.cause)
                order by x.at, x.entry) filter (where x.at >= p_since), '[]') as lines
            from entries(a.franchise, a.account, p_at) x) as e
    where a.franchise = p_franchise and a.account = p_account
$$;

-- All accounts of an organization, one per currency, with the entries since an instant.
create function statement_v1(p_namespace text, p_organization text, p_since timestamptz)
returns jsonb language plpgsql stable as $$
declare t timestamptz := ledger.now(); since timestamptz := coalesce(p_since, '-infinity');
begin
    return jsonb_build_object('franchise', p_namespace, 'organization', p_organization,
        'since', utc(since), 'as_of', utc(t),
        'accounts', (select coalesce(jsonb_agg(account_statement(a.franchise, a.account, since, t)
                order by a.currency), '[]')
            from account a join franchise f using (franchise)
            where f.namespace = p_namespace and a.kind = 'customer'
            and a.organization = p_organization));
end $$;
