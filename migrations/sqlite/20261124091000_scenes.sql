-- What operators set up: a few rows each, read whole at the start, so each is JSON beside its key.
-- A group has an entity of its own that is worked out from its members; it is stored nowhere else.
create table entity_group (
  entity_group_id text not null primary key,
  data text not null
) strict, without rowid;

-- standing is JSON: the last run, with what came of each command; null before the first.
create table scene (
  scene_id text not null primary key,
  data text not null,
  standing text
) strict, without rowid;

-- standing is JSON: the moment up to which all that was due is run or told as missed, the last run, the last that were missed.
create table schedule (
  schedule_id text not null primary key,
  data text not null,
  standing text
) strict, without rowid;
