-- I14 red: ledger::billing::a_hold_is_made_of_several_lots_where_one_is_too_small
alter table lot_use drop constraint lot_not_overspent;
select pg_temp.mutate('place_hold', 'take := least(rest, x.free)', 'take := rest');
