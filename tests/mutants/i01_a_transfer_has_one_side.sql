-- I1 red: ledger::constraints::each_refuses_by_its_name_what_no_path_of_ours_does
alter table transfer drop constraint transfer_two_sides, drop constraint transfer_amount;
