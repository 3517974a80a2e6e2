-- Roll-ups and last values are written many at once, some time behind their readings. What they lack lies in these spans of five minutes,
-- noted by the transaction that stores the readings: such a span is answered from single readings, and a start after a crash makes up for it.
create table due (
  bucket_at integer primary key
) strict;

-- The messages taken last, in runs: ten bytes each, packet id and digest, big endian. In the order they are written, for what is appended to a
-- table with a rowid touches the fewest pages; it is read whole.
create table delivery_run (
  link text not null,
  last_n integer not null,
  data blob not null
) strict;

insert into delivery_run (link, last_n, data)
select link, n, unhex(printf('%04x%016x', packet_id, digest)) from delivery order by n;

drop table delivery;
