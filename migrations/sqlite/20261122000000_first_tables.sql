-- Signalbox's first tables. Times are Unix milliseconds, UTC.

-- "sgbx": tells a database of ours from another program's.
pragma application_id = 1936155256;

-- What is only read whole, at the start, is kept as JSON beside its key.
create table device (
  device_id text not null primary key,
  data text not null
) strict, without rowid;

create table entity (
  entity_id text not null primary key,
  device_id text not null,
  data text not null
) strict, without rowid;

-- A short key for an entity's history. It outlives the entity, so that history is found again when the entity comes back.
create table series (
  series_id integer primary key,
  entity_id text not null unique
) strict;

-- Numbers, in order of time: in order of series, devices that take turns would write a page for each row.
-- n tells readings of one series within a millisecond apart: 0 where the device said the time (the same one twice is one reading),
-- from 1 on where it is the time of arrival (two are two).
create table reading (
  taken_at integer not null,
  series_id integer not null,
  n integer not null,
  value real not null,
  primary key (taken_at, series_id, n)
) strict, without rowid;

-- Everything that is no number: on and off, lights, texts, as JSON. In order of series, for the question "what was in force then"
-- has no bound in order of time; states are rare enough to afford a page each.
create table state (
  series_id integer not null,
  taken_at integer not null,
  n integer not null,
  value text not null,
  primary key (series_id, taken_at, n)
) strict, without rowid;

-- What the readings of a span come to, states as 1 and 0. Written with the readings, so both always agree; in order of time as well.
create table rollup_5min (
  bucket_at integer not null,
  series_id integer not null,
  n integer not null,
  total real not null,
  low real not null,
  high real not null,
  last_value real not null,
  last_at integer not null,
  last_n integer not null,
  primary key (bucket_at, series_id)
) strict, without rowid;

create table rollup_1h (
  bucket_at integer not null,
  series_id integer not null,
  n integer not null,
  total real not null,
  low real not null,
  high real not null,
  last_value real not null,
  last_at integer not null,
  last_n integer not null,
  primary key (bucket_at, series_id)
) strict, without rowid;

-- The newest reading of each series, for the first page after a start.
create table last_value (
  series_id integer primary key references series (series_id),
  value text not null,
  taken_at integer not null,
  received_at integer not null,
  device_time integer not null
) strict;

create table alarm (
  alarm_id text not null primary key,
  state text not null,
  data text not null
) strict, without rowid;

create table command (
  command_id text not null primary key,
  entity_id text not null,
  sent_at integer not null,
  who text not null,
  action text not null,
  state text not null,
  reason text,
  after_ms integer
) strict, without rowid;
