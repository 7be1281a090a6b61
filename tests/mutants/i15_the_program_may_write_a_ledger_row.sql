-- I15 red: ledger::rights::the_application_role_touches_no_table
grant update on transfer to catalyst_app;
