-- What topics are about, as operators wrote it: a few rows in their order, read whole at the start and changed together.
create table topic_pattern (
  place integer not null primary key,
  pattern text not null
) strict, without rowid;
