-- What the numbers of a series are: 0 something measured, 1 a state, 2 a meter; null while nobody knows, which counts as 0.
alter table series add column kind integer;

update series set kind = 1 where exists (select 1 from state where state.series_id = series.series_id);

-- What the order of its readings adds to what is known of a full block of states or of a meter: the first of them, what a meter showed in all
-- before it began anew from zero, for how long a state was on between the first and the last, and how often it changed there. A block without such
-- a row is read.
create table block_run (
  data_id integer primary key,
  first_value real not null,
  lost real not null,
  on_ms integer not null,
  changes integer not null
) strict;

create trigger block_run_gone after delete on block_data begin
  delete from block_run where data_id = old.data_id;
end;
