-- What operators wrote about entities, devices and areas: wins over what topics say. As JSON beside its key, for it is only read whole, at the
-- start. subject is entity, device or area.
create table override (
  subject text not null,
  subject_id text not null,
  data text not null,
  primary key (subject, subject_id)
) strict, without rowid;
