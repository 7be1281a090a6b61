-- Done before each mutant: replaces a part of a function of the ledger, and fails where the part is
-- not there, so that a mutant keeps up with the original or says that it does not.
set search_path = ledger, public;
create function pg_temp.mutate(p_function text, p_part text, p_by text) returns void
language plpgsql as $$
declare definition text := pg_get_functiondef(('ledger.' || p_function)::regproc);
begin
    if strpos(definition, p_part) = 0 then
        raise 'function % has no part % to take away', p_function, p_part;
    end if;
    execute replace(definition, p_part, p_by);
end $$;
