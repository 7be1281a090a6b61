-- I13 red: ledger::constraints::each_refuses_by_its_name_what_no_path_of_ours_does
alter table orders drop constraint orders_price;
