-- What people may read and check: statements and invariants.

-- The account of an organization as its customer would read it.
create function statement_v1(p_namespace text, p_organization text) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'franchise', p_namespace, 'organization', p_organization, 'as_of', utc(ledger.now()),
        'accounts', coalesce(jsonb_agg(jsonb_build_object(
            'currency', a.currency, 'decimals', c.decimals, 'posted', a.posted, 'held', a.held,
            'spendable', spendable(a.franchise, a.account, ledger.now()),
            'lines', (select coalesce(jsonb_agg(jsonb_build_object('at', utc(x.at),
                    'kind', x.kind, 'entry', x.transfer,
                    'amount', case when x.credit = a.account then x.amount else -x.amount end,
                    'cause', coalesce('voucher ' || v.hint,
                        'plan ' || o.plan || ', period ' || o.period))
                    order by x.transfer), '[]')
                from (select * from transfer c where c.franchise = a.franchise
                        and c.credit = a.account and c.voucher is not null
                    union all select * from transfer c where c.franchise = a.franchise
                        and c.credit = a.account and c.voucher is null
                    union all select * from transfer d where d.franchise = a.franchise
                        and d.debit = a.account and d.voucher is null) as x
                left join voucher v on v.franchise = x.franchise and v.voucher = x.voucher
                left join hold h on h.franchise = x.franchise and h.capture = x.transfer
                left join orders o on o.franchise = h.franchise and o.ord = h.ord),
            'paid_until', (select utc(max(p.ends_at)) from period p
                where p.franchise = a.franchise and p.organization = a.organization))
            order by a.currency), '[]'))
    from account a join franchise f using (franchise) join currency c on c.code = a.currency
    where f.namespace = p_namespace and a.kind = 'customer' and a.organization = p_organization
$$;

-- The invariants that no honest ledger breaks: each row is a violation, so there must be none.
-- Aggregated once per query; correlated sums per account do not finish on a large ledger.
create function verify_v1() returns table (invariant text, namespace text, what text)
language sql stable as $$
    with moved as (
        select franchise, account, sum(amount) as amount from (
            select franchise, credit as account, amount from transfer
            union all select franchise, debit, -amount from transfer) as x
        group by franchise, account),
    violations as (
        select 'a customer''s balance is the sum of its transfers' as invariant, a.franchise,
            'account ' || a.account || ': ' || a.posted || ' <> ' || coalesce(m.amount, 0) as what
        from account a left join moved m using (franchise, account)
        where a.kind = 'customer' and a.posted <> coalesce(m.amount, 0)
        union all
        select 'debits equal credits in every currency', franchise, 'off by ' || sum(m.amount)
        from moved m join account a using (franchise, account)
        group by franchise, a.currency having sum(m.amount) <> 0
        union all
        select 'what is held is the sum of live holds', a.franchise,
            'account ' || a.account || ': ' || a.held || ' <> ' || coalesce(h.amount, 0)
        from account a left join (select franchise, account, sum(amount) as amount from hold
            where state = 'held' group by 1, 2) as h using (franchise, account)
        where a.held <> coalesce(h.amount, 0)
        union all
        select 'no balance is below zero and none held beyond it', franchise, 'account ' || account
        from account where posted < 0 or held < 0 or held > posted
        union all
        select 'a counter counts its redemptions', c.franchise,
            'voucher ' || c.voucher || ': ' || c.used || ' <> ' || coalesce(x.n, 0)
        from voucher_counter c left join (select franchise, voucher, count(*) as n from transfer
            where voucher is not null group by 1, 2) as x using (franchise, voucher)
        where c.used <> coalesce(x.n, 0)
        union all
        select 'no voucher is redeemed above its cap', franchise,
            'voucher ' || voucher || ': ' || used || ' > ' || cap
        from voucher_counter where used > cap
        union all
        select 'an account redeems a voucher once', franchise,
            'voucher ' || voucher || ', account ' || credit
        from transfer where voucher is not null group by franchise, voucher, credit
        having count(*) > 1
        union all
        select 'a redemption grants what its revision promised', x.franchise,
            'transfer ' || x.transfer
        from transfer x left join voucher_revision r using (franchise, voucher, revision)
        where x.voucher is not null
        and (x.amount, x.currency) is distinct from (r.amount, r.currency)
        union all
        select 'the gate has the terms of its revision', c.franchise, 'voucher ' || c.voucher
        from voucher_counter c join voucher_revision r using (franchise, voucher, revision)
        where c.cap is distinct from r.cap or c.open <> (r.state = 'Active')
        union all
        select 'both sides of a transfer share franchise and currency', x.franchise,
            'transfer ' || x.transfer
        from transfer x
        left join account d on d.franchise = x.franchise and d.account = x.debit
        left join account c on c.franchise = x.franchise and c.account = x.credit
        where (x.currency, x.currency) is distinct from (d.currency, c.currency)
        union all
        select 'a lot is used and held as its holds say', u.franchise, 'lot ' || u.lot
        from lot_use u left join (
            select l.franchise, l.lot,
                coalesce(sum(l.amount) filter (where h.state = 'held'), 0) as held,
                coalesce(sum(l.amount) filter (where h.state = 'captured'), 0) as used
            from hold_line l join hold h using (franchise, ord, attempt) group by 1, 2) as x
            using (franchise, lot)
        where (u.held, u.used) is distinct from (coalesce(x.held, 0), coalesce(x.used, 0))
        union all
        select 'a hold is the sum of its lines', h.franchise, 'order ' || h.ord
        from hold h left join hold_line l using (franchise, ord, attempt)
        group by h.franchise, h.ord, h.attempt, h.amount
        having h.amount <> coalesce(sum(l.amount), 0)
        union all
        select 'a paid period has its capture, once', o.franchise, 'order ' || o.ord
        from orders o left join period p using (franchise, ord)
        left join hold h on h.franchise = o.franchise and h.ord = o.ord and h.state = 'captured'
        where ((p.ord is not null) <> (h.ord is not null) and o.amount > 0)
        or (p.ord is not null and o.voided)
        union all
        select 'a capture moved what was held', h.franchise, 'order ' || h.ord
        from hold h left join transfer x on x.franchise = h.franchise and x.transfer = h.capture
        where h.state = 'captured'
        and (x.kind, x.debit, x.amount) is distinct from ('capture', h.account, h.amount)
        union all
        select 'periods of an organization do not overlap', p.franchise,
            p.organization || ', periods ' || p.period || ' and ' || q.period
        from period p join period q on q.franchise = p.franchise
            and q.organization = p.organization and q.period > p.period
        where q.starts_at < p.ends_at
        union all
        select 'nothing is held for an order that is void', o.franchise, 'order ' || o.ord
        from orders o join hold h using (franchise, ord)
        where o.voided and h.state in ('held', 'captured')
        union all
        select 'one order of an organization is open', o.franchise,
            o.organization || ': ' || count(*) || ' orders'
        from orders o left join period p using (franchise, ord)
        where not o.voided and p.ord is null
        group by o.franchise, o.organization having count(*) > 1
        union all
        select 'an order is priced as its plan was', o.franchise, 'order ' || o.ord
        from orders o left join plan_revision r using (franchise, sovereign, plan, revision)
        where (o.amount, o.currency) is distinct from (r.amount, r.currency))
    select v.invariant, f.namespace, v.what from violations v join franchise f using (franchise)
$$;
