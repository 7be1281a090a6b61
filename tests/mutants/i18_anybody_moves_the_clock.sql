-- I18 red: ledger::clock::only_a_database_made_for_tests_moves_its_clock
alter table clock drop constraint clock_moves_in_tests_only;
