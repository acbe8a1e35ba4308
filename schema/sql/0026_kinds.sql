-- Feeds keep how they were read, version by version; they notice when a source has changed its form; and they can be rung.

alter table feed
  add column version int not null default 1,
  -- When a sister last rang to say that there is something new: its feed's turn comes as soon as it has rested.
  add column rung_at timestamptz,
  -- How many records of the latest full pass each rule of the mapping found something in, "" for all of them.
  add column filled jsonb,
  -- Rules that used to find something and no longer do: the source has changed its form. Places, never content.
  add column drift text[] not null default '{}';

-- What a feed was told when, so that a record's oddity can be traced to the mapping of its day.
create table feed_version (
  feed int not null references feed on delete cascade,
  version int not null,
  since timestamptz not null default hub_now(),
  kind feed_kind not null,
  settings jsonb not null,
  mapping jsonb not null,
  primary key (feed, version)
);
alter table feed_version enable row level security;
alter table feed_version force row level security;
insert into feed_version (feed, version, kind, settings, mapping) select id, version, kind, settings, mapping from feed;

create function feed_version_next() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if tg_op = 'UPDATE' then
    new.version := old.version + 1;
  end if;
  return new;
end $$;
create function feed_version_keep() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  insert into feed_version (feed, version, kind, settings, mapping)
  values (new.id, new.version, new.kind, new.settings, new.mapping);
  return null;
end $$;
create trigger version_next before update of kind, settings, mapping on feed for each row
  when ((old.kind, old.settings, old.mapping) is distinct from (new.kind, new.settings, new.mapping))
  execute function feed_version_next();
create trigger version_kept after insert on feed for each row execute function feed_version_keep();
create trigger version_kept_anew after update of kind, settings, mapping on feed for each row
  when ((old.kind, old.settings, old.mapping) is distinct from (new.kind, new.settings, new.mapping))
  execute function feed_version_keep();

grant update (rung_at, filled, drift) on feed to hub_worker;
grant select (feed, version, since) on feed_version to hub_worker;
create policy replicate on feed_version for select to hub_worker using (true);
