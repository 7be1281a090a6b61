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
        select 'a customer''s balance is what its lots have left', a.franchise,
            'account ' || a.account || ': ' || a.posted || ' <> ' || coalesce(l.amount, 0)
        from account a left join (
            select x.franchise, x.credit as account,
                sum(x.amount - coalesce(u.used + u.gone, 0)) as amount
            from transfer x left join lot_use u on u.franchise = x.franchise and u.lot = x.transfer
            where x.priority is not null group by 1, 2) as l using (franchise, account)
        where a.kind = 'customer' and a.posted <> coalesce(l.amount, 0)
        union all
        select 'a counter counts its redemptions', c.franchise,
            'voucher ' || c.voucher || ': ' || c.used || ' <> ' || coalesce(x.n, 0)
        from voucher_counter c left join (select franchise, voucher, count(*) as n from transfer
            where voucher is not null group by 1, 2) as x using (franchise, voucher)
        where c.used <> coalesce(x.n, 0)
        union all
        select 'a counter adds up what was granted', c.franchise,
            'voucher ' || c.voucher || ': ' || c.spent || ' <> ' || coalesce(x.n, 0)
        from voucher_counter c left join (select franchise, voucher, sum(amount) as n from transfer
            where voucher is not null group by 1, 2) as x using (franchise, voucher)
        where c.spent <> coalesce(x.n, 0)
        union all
        select 'no voucher is redeemed above its cap', franchise,
            'voucher ' || voucher || ': ' || used || ' > ' || cap
        from voucher_counter where used > cap
        union all
        select 'no voucher grants more than its budget', franchise,
            'voucher ' || voucher || ': ' || spent || ' > ' || budget
        from voucher_counter where spent > budget
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
        where c.cap is distinct from r.cap or c.budget is distinct from r.budget
        or c.open <> (r.state = 'Active')
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
        left join (select franchise, lot, sum(amount) as gone from transfer
            where kind in ('expire', 'reverse', 'close') group by 1, 2) as y using (franchise, lot)
        where (u.held, u.used, u.gone)
            is distinct from (coalesce(x.held, 0), coalesce(x.used, 0), coalesce(y.gone, 0))
        union all
        select 'a hold is the sum of its lines', h.franchise, 'order ' || h.ord
        from hold h left join hold_line l using (franchise, ord, attempt)
        group by h.franchise, h.ord, h.attempt, h.amount
        having h.amount <> coalesce(sum(l.amount), 0)
        union all
        select 'a paid order has its capture, once', o.franchise, 'order ' || o.ord
        from orders o
        left join (select franchise, ord, count(*) as n from (select franchise, ord from period
            union all select franchise, ord from upgrade) as x group by 1, 2) as p
            using (franchise, ord)
        left join hold h on h.franchise = o.franchise and h.ord = o.ord and h.state = 'captured'
        where ((p.ord is not null) <> (h.ord is not null) and o.amount > 0)
        or p.n > 1 or (p.ord is not null and o.voided)
        union all
        select 'every capture is of an order', x.franchise, 'transfer ' || x.transfer
        from transfer x left join hold h on h.franchise = x.franchise and h.capture = x.transfer
        where x.kind = 'capture' and h.ord is null
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
        left join upgrade u using (franchise, ord)
        where not o.voided and p.ord is null and u.ord is null
        group by o.franchise, o.organization having count(*) > 1
        union all
        select 'an order is the sum of its lines', o.franchise,
            'order ' || o.ord || ': ' || o.amount || ' <> ' || coalesce(sum(l.amount), 0)
        from orders o left join order_line l using (franchise, ord)
        group by o.franchise, o.ord, o.amount having o.amount <> coalesce(sum(l.amount), 0)
        union all
        select 'what is reversed is taken back or owed', c.franchise,
            'entry ' || c.reverses || ': ' || l.amount || ' <> ' || coalesce(sum(x.amount), 0)
        from correction c join transfer l on l.franchise = c.franchise and l.transfer = c.reverses
        left join transfer x on x.franchise = c.franchise and x.lot = c.reverses
            and x.kind in ('reverse', 'owe', 'expire', 'close')
        group by c.franchise, c.reverses, l.amount having l.amount <> coalesce(sum(x.amount), 0)
        union all
        select 'a correction is answered as it moved', c.franchise, 'correction ' || c.correction
        from correction c join account a using (franchise, account)
        left join (select franchise, correction,
                coalesce(sum(amount) filter (where kind <> 'owe'), 0)::bigint as moved,
                coalesce(sum(amount) filter (where kind = 'owe'), 0)::bigint as owed
            from transfer where correction is not null group by 1, 2) as x
            using (franchise, correction)
        where c.response <> (case c.kind
            when 'credit' then jsonb_build_object('api', 'v1', 'outcome', 'Credited',
                'organization', a.organization, 'amount', coalesce(x.moved, 0),
                'currency', c.currency)
            when 'reverse' then jsonb_build_object('api', 'v1', 'outcome', 'Reversed',
                'entry', c.reverses, 'taken_back', coalesce(x.moved, 0),
                'owed', coalesce(x.owed, 0), 'currency', c.currency)
            else jsonb_build_object('api', 'v1', 'outcome', 'Closed',
                'organization', a.organization, 'taken_back', coalesce(x.moved, 0),
                'currency', c.currency) end)::text
        union all
        select 'a redemption is answered as it was granted', x.franchise, 'transfer ' || x.transfer
        from transfer x join account a on a.franchise = x.franchise and a.account = x.credit
        where x.kind = 'redeem' and x.response <> concat('{"api":"v1","outcome":"Redeemed",',
            '"organization":"', a.organization, '","amount":', x.amount, ',"currency":"',
            x.currency, '"}')
        union all
        select 'an order is priced as its plan was', o.franchise, 'order ' || o.ord
        from orders o left join plan_revision r using (franchise, sovereign, plan, revision)
        where (o.price, o.currency) is distinct from (r.amount, r.currency)
        or (o.step = 0 and o.amount <> o.price))
    select v.invariant, f.namespace, v.what from violations v join franchise f using (franchise)
$$;
