-- I15 red: ledger::rights::rows_of_history_are_never_changed_not_even_by_their_owner
drop trigger transfer_append_only on transfer;
