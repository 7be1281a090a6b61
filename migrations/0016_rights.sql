-- Who may do what. The application role executes versioned functions and touches no table; the
-- functions run as the owner. The read role looks.
do $$
declare f regprocedure;
begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'ledger'::regnamespace
    loop
        execute format('revoke all on function %s from public', f);
        if f::text ~ '_v[0-9]+\(' then
            execute format('alter function %s security definer set search_path = ledger, pg_temp '
                'set plan_cache_mode = force_generic_plan set jit = off set lock_timeout = ''2s'' '
                'set enable_seqscan = off', f);
            execute format('grant execute on function %s to catalyst_app', f);
        end if;
    end loop;
end $$;
-- A plan is made once for a connection and kept, whatever the tables hold by then: so all look
-- things up, and the batch one item at a time. What reads everything does so at once, and what is
-- best for one query depends on how much happened since.
alter function redeem_batch_v1(text, bigint, text[], bytea[], text[], text[], text[])
    set enable_hashjoin = off set enable_mergejoin = off;
alter function verify_v1() reset enable_seqscan;
alter function verify_sealed_v1() reset enable_seqscan;
alter function seal_v1(int) reset enable_seqscan set plan_cache_mode = force_custom_plan;
alter function changes_v1(bigint) reset enable_seqscan
    set plan_cache_mode = force_custom_plan;
grant usage on schema ledger to catalyst_app, catalyst_read;
grant select on all tables in schema ledger to catalyst_read;
grant execute on function verify_v1(), verify_sealed_v1(), ledger.now(),
    statement_v1(text, text, timestamptz) to catalyst_read;
