-- What people and programs did, as far as it is no command: those have a table of their own, and stand in the same log. Only added to.
create table activity (
  activity_id integer primary key,
  at integer not null,
  who text not null,
  -- Where the request came from; null where nobody knows.
  address text,
  what text not null,
  entity_id text,
  outcome text not null,
  -- JSON: what each kind has to say.
  detail text not null
) strict;

-- The log is read from its end.
create index activity_at on activity (at);
create index command_sent on command (sent_at);

-- Readings that somebody took out of history: what they were, so that they can be taken back, and come to nothing when they are delivered again.
-- n as in state. A number of arrivals within one millisecond are told apart by it.
create table excluded (
  series_id integer not null,
  taken_at integer not null,
  n integer not null,
  number real,
  -- JSON; null where the reading is no state.
  state text,
  excluded_at integer not null,
  who text not null,
  primary key (series_id, taken_at, n)
) strict, without rowid;

-- 0 what devices sent, 1 what was filled in afterwards and is nobody's last value, 2 what is taken out of the rows before.
alter table journal add column kind integer not null default 0;

-- Each change of an alarm's state. Only added to.
create table alarm_event (
  alarm_event_id integer primary key,
  alarm_id text not null,
  at integer not null,
  who text not null,
  state text not null
) strict;

create index alarm_event_alarm on alarm_event (alarm_id, at);

-- From the moment an alarm was raised to the one its cause was gone; null while it lasts. data is the alarm as it was last within that time.
create table alarm_span (
  alarm_id text not null,
  raised_at integer not null,
  entity_id text not null,
  ended_at integer,
  data text not null,
  primary key (alarm_id, raised_at)
) strict, without rowid;

-- For charts: the alarms of an entity in a range.
create index alarm_span_entity on alarm_span (entity_id, raised_at);

-- When alarms of an earlier version ended, nobody wrote down: of those that are over there is the beginning alone.
insert into alarm_span (alarm_id, raised_at, entity_id, ended_at, data)
select alarm_id, data ->> 'since', data ->> 'entity', iif(state in ('unacked', 'acked', 'shelved'), null, data ->> 'since'), data
from alarm where data ->> 'since' > 0;
