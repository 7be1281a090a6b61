-- The ledger of one franchise in the words of the model.
select array_agg(line order by part, place) from (
    select 0 as part, v.hint as place, concat_ws(' ', v.hint, r.state,
        case when c.open then 'true' else 'false' end, c.revision,
        concat(c.used, '/', coalesce(c.cap::text, '-')),
        concat(c.spent, '/', coalesce(c.budget::text, '-'))) as line
    from voucher v join voucher_counter c using (franchise, voucher)
    join voucher_revision r using (franchise, voucher, revision)
    union all
    select 1, a.organization, concat_ws(' ', a.organization, a.posted, a.held,
        spendable(a.franchise, a.account, ledger.now(), ledger.now()),
        case when a.suspended then 'true' else 'false' end)
    from account a where a.kind = 'customer'
    union all
    select 2, to_char(l.transfer, 'FM0000000000'), concat('lot ',
        row_number() over (order by l.transfer) - 1, ' ', a.organization, ' ', l.amount, ' = ',
        coalesce(u.used, 0), ' + ', coalesce(u.held, 0), ' + ', coalesce(u.gone, 0), '; ',
        (select coalesce(sum(x.amount), 0) from transfer x
            where x.lot = l.transfer and x.kind = 'owe'),
        ' until ', case when isfinite(l.expires_at)
            then extract(epoch from l.expires_at)::bigint else -1 end)
    from transfer l join account a on a.franchise = l.franchise and a.account = l.credit
    left join lot_use u on u.franchise = l.franchise and u.lot = l.transfer
    where l.priority is not null
    union all
    select 3, to_char(o.ord, 'FM0000000000'), concat(o.organization, ' ', o.period, '.', o.step,
        ' ', o.plan, ' ', o.amount, ' ', case when o.voided then 'true' else 'false' end, ' ',
        case when exists (select from period p where p.ord = o.ord)
            or exists (select from upgrade u where u.ord = o.ord) then 'true' else 'false' end,
        ' [', (select string_agg(concat(h.attempt, ':', h.state), ',' order by h.attempt)
            from hold h where h.ord = o.ord), ']')
    from orders o
    union all
    select 4, to_char(p.ord, 'FM0000000000'), concat_ws(' ', p.organization, p.period, 'from',
        extract(epoch from p.starts_at)::bigint, 'to', extract(epoch from p.ends_at)::bigint)
    from period p) as lines
