-- The brake on a mistaken mass deletion. An object of ours whose deletion begins is judged once,
-- and what was judged is kept: which deletions count for the next one, and which are held until a
-- person answers. No money is kept here.

create table deletion (
    franchise int not null references franchise,
    uid text not null,
    kind text not null
        constraint deletion_kind check (kind in ('Sovereign', 'Tenant', 'Voucher')),
    -- When Kubernetes was asked for it, by the clock of the hub.
    at timestamptz not null,
    held boolean not null,
    -- What the namespace said already when it was judged: no answer to this.
    stood text constraint deletion_stood check (stood in ('keep', 'proceed')),
    -- What was answered to it. It is carried out whatever is said later; what was meant counts for
    -- no other any more, and what was a mistake does, as the rest of that mistake may be to come.
    answer text constraint deletion_answer check (answer in ('keep', 'proceed')),
    -- When the object was last known to be there, to a day. What was judged is kept as long.
    seen_at timestamptz not null,
    constraint deletion_pk primary key (franchise, uid),
    constraint deletion_answers_what_is_held check (held or answer is null)
);
create index deletion_at on deletion (franchise, held, at);
create index deletion_seen on deletion (franchise, seen_at);
create index deletion_stood on deletion (franchise) where stood is not null;

-- What was judged of one object, and which others went around the same time. Where there is no
-- franchise, nothing is to be held.
create function observe_deletions_v1(p_namespace text, p_uid text, p_at timestamptz)
returns jsonb language sql stable as $$
    select coalesce((select jsonb_build_object(
        'judged', (select jsonb_build_object('held', d.held, 'stood', d.stood,
                'answer', d.answer, 'fades', d.seen_at < ledger.now() - interval '1 day')
            from deletion d where d.franchise = f.franchise and d.uid = p_uid),
        'others', (select coalesce(jsonb_agg(jsonb_build_object('uid', d.uid, 'kind', d.kind,
                'at', utc(d.at), 'meant', d.answer is not distinct from 'proceed')), '[]')
            from deletion d
            where d.franchise = f.franchise and d.held in (true, false) and d.uid <> p_uid
            and d.at between p_at - interval '10 minutes' and p_at + interval '10 minutes'))
    from franchise f where f.namespace = p_namespace),
        '{"judged": {"held": false, "fades": false}, "others": []}')
$$;

-- Judges a deletion, or notes that the object is still there if somebody has. What has been gone
-- for long counts for nobody any more.
create function judge_deletion_v1(p_namespace text, p_epoch bigint, p_kind text, p_uid text,
    p_at timestamptz, p_held boolean, p_stood text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; t timestamptz := ledger.now();
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    insert into deletion as d (franchise, uid, kind, at, held, stood, seen_at)
        values (f.franchise, p_uid, p_kind, p_at, p_held, p_stood, t)
        on conflict (franchise, uid) do update set seen_at = excluded.seen_at
        where d.seen_at < excluded.seen_at;
    delete from deletion where franchise = f.franchise and seen_at < t - interval '90 days';
    outcome := case when p_held then 'DeletionHeld' else 'DeletionAdmitted' end;
end $$;

-- Writes down what was answered to a deletion that is held; the first answer is the one.
create function answer_deletion_v1(p_namespace text, p_epoch bigint, p_uid text, p_word text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    update deletion set answer = p_word
        where franchise = f.franchise and uid = p_uid and held and answer is null;
    outcome := 'DeletionAnswered';
end $$;

-- What stood in the namespace was taken away: the same said again is an answer.
create function forget_word_v1(p_namespace text, p_epoch bigint,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    update deletion set stood = null where franchise = f.franchise and stood is not null;
    outcome := 'WordForgotten';
end $$;

-- The Tenants of every Sovereign, whether they have an object yet or not. One that is closed has
-- none.
create function observe_awake_v1() returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_object('franchise', f.namespace,
        'sovereign', s.sovereign, 'tenants', (select coalesce(jsonb_agg(o.tenant), '[]')
            from organization o where o.franchise = s.franchise and o.sovereign = s.sovereign
            and o.tenant is not null))), '[]')
    from sovereign s join franchise f using (franchise) where not s.closed
$$;

-- A franchise whose namespace goes by mistake and whose objects were kept goes on under the next
-- UID of that name, once.
create function expect_successor_v1(p_namespace text, p_epoch bigint,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    update franchise set expects_successor = true
        where franchise = f.franchise and not expects_successor;
    outcome := 'SuccessorExpected';
end $$;
