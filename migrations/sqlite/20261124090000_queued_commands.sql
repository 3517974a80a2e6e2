-- Commands that wait for a device that sleeps: one an entity, the newest.
create table queued_command (
  entity_id text primary key,
  command_id text not null unique,
  expires_at integer not null,
  -- JSON: as it was queued.
  data text not null
) strict, without rowid;
