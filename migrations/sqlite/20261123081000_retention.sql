-- What readings that are not kept any more came to in each minute, half a day of a series a row; otherwise as hours. What is in it is in no block.
create table minutes (
  minutes_id integer primary key,
  series_id integer not null,
  chunk_at integer not null,
  born integer not null,
  died integer,
  data blob not null
) strict;

create unique index minutes_series on minutes (series_id, chunk_at, born);
create index minutes_born on minutes (born);
create index minutes_died on minutes (died) where died is not null;

-- How far retention got with a series. Before raw_from nothing is told that is finer than minutes, before minutes_from (a whole
-- hour) nothing finer than hours. Blocks that begin before packed_to are minutes now, or stay because they take no more room.
create table floor (
  series_id integer primary key references series (series_id),
  raw_from integer not null,
  minutes_from integer not null,
  packed_to integer not null
) strict;

-- Bytes of what is packed, kept by triggers: nobody who writes can forget it, and to add them up would be to read the whole file.
create table tier (
  name text not null primary key,
  bytes integer not null
) strict, without rowid;

insert into tier (name, bytes)
select 'raw', coalesce(sum(length(data)), 0) from block_data
union all select 'minutes', 0
union all select 'hours', coalesce(sum(length(data)), 0) from hours;

-- The second part is for a row that takes the place of another: no trigger says that it is gone.
create trigger block_data_added before insert on block_data begin
  update tier set bytes = bytes + length(new.data) - coalesce((select length(data) from block_data where data_id = new.data_id), 0) where name = 'raw';
end;
create trigger block_data_deleted after delete on block_data begin
  update tier set bytes = bytes - length(old.data) where name = 'raw';
end;
create trigger minutes_added after insert on minutes begin
  update tier set bytes = bytes + length(new.data) where name = 'minutes';
end;
create trigger minutes_deleted after delete on minutes begin
  update tier set bytes = bytes - length(old.data) where name = 'minutes';
end;
create trigger hours_added after insert on hours begin
  update tier set bytes = bytes + length(new.data) where name = 'hours';
end;
create trigger hours_deleted after delete on hours begin
  update tier set bytes = bytes - length(old.data) where name = 'hours';
end;

-- How many readings were sealed in each hour, and when the last of them were: what a day brings is told from it.
create table growth (
  hour_at integer primary key,
  ends_at integer not null,
  n integer not null
) strict;
