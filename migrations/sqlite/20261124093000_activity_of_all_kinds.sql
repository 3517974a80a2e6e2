-- One log for everything: commands stand in it as they stand in their own table, so that a page of it is found by one index, whatever is asked for.
-- kind is control, alarm, device, history, settings or system.
alter table activity add column kind text not null default 'history';
-- Milliseconds until the outcome; null where there is nothing to wait for.
alter table activity add column after_ms integer;
-- For a command: the row follows it.
alter table activity add column command_id text;

insert into activity (at, who, address, kind, what, entity_id, outcome, after_ms, detail, command_id)
select sent_at, who, null, 'control', action ->> 'action', entity_id, state, after_ms,
       json_object('command', command_id, 'action', json(action), 'reason', reason, 'after_ms', after_ms), command_id
from command order by sent_at;

create unique index activity_command on activity (command_id) where command_id is not null;

-- Newest first of one entity, person, kind, deed or outcome: each ends in the row's number, so that a page begins where the one before ended.
create index activity_entity on activity (entity_id, at);
create index activity_who on activity (who, at);
create index activity_kind on activity (kind, at);
create index activity_what on activity (what, at);
create index activity_outcome on activity (outcome, at);

-- The commands of an entity, for its charts.
create index command_entity on command (entity_id, sent_at);
