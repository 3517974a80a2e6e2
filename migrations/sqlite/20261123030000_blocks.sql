-- Numbers in the order they arrived, states as 1 and 0: a row for each batch, packed. Until they are sealed they are also held in memory, by
-- series and time, which is where they are read from; the journal is for the next start.
create table journal (
  seq integer primary key,
  data blob not null
) strict;

-- One row: the journal up to seq is in blocks, and blocks of later generations are not there yet. Changed by one short transaction, which makes
-- blocks take the place of what they were made of.
create table sealed (
  one integer primary key check (one = 1),
  generation integer not null,
  seq integer not null
) strict;

insert into sealed (one, generation, seq) values (1, 0, 0);

-- Some hundred to some thousand readings of one series each, of which the packed ones lie apart: a question about long spans reads only these
-- rows, which lie close together. Blocks of a series do not overlap: start_at is the first moment, end_key twice the last, and one more where the
-- last reading is of a moment of arrival. There from generation born on, until the one it died with. data_id is negative for the last block of a
-- series while it is short.
create table block (
  series_id integer not null,
  start_at integer not null,
  born integer not null,
  died integer,
  end_key integer not null,
  n integer not null,
  total real not null,
  low real not null,
  high real not null,
  last_value real not null,
  data_id integer not null,
  primary key (series_id, start_at, born)
) strict, without rowid;

-- For what a process that was killed left unfinished, and for what is to be cleared away.
create index block_born on block (born);
create index block_died on block (died) where died is not null;

-- With a rowid: a row without may hold a quarter of a page only, and what is longer takes a page of its own.
create table block_data (
  data_id integer primary key,
  data blob not null
) strict;

-- What the readings in blocks come to in each hour, some hundred hours of a series a row; what is in a short last block is not in it. There from
-- generation born on, until the one it died with.
create table hours (
  hours_id integer primary key,
  series_id integer not null,
  chunk_at integer not null,
  born integer not null,
  died integer,
  data blob not null
) strict;

create unique index hours_series on hours (series_id, chunk_at, born);
create index hours_born on hours (born);
create index hours_died on hours (died) where died is not null;

-- What stands in the old table is moved to the journal when the database is opened.
insert or ignore into reading (taken_at, series_id, n, value)
select taken_at, series_id, n, case value when 'true' then 1.0 when 'false' then 0.0 else iif(value ->> 'state' = 'on', 1.0, 0.0) end
from state where value not like '"%';

drop table rollup_5min;
drop table rollup_1h;
drop table due;
