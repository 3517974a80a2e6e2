-- The last messages taken from each broker, by the packet id they came with: what is delivered again after a crash is known by it.
-- A ring: slot is n modulo its length, so that it never grows.
create table delivery (
  link text not null,
  slot integer not null,
  n integer not null,
  packet_id integer not null,
  digest integer not null,
  primary key (link, slot)
) strict, without rowid;
