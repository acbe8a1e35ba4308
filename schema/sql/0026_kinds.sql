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

-- By the API, ICORN's people connect feeds and change them. What a feed is told is written and never read back.
grant insert (code, organisation, kind, settings, mapping, every, paused), update (settings, mapping, every, paused, rung_at) on feed to hub_app;
grant insert (feed, version, kind, settings, mapping) on feed_version to hub_app;
create policy icorn_adds on feed for insert to hub_app with check ((select viewer_is_icorn() and viewer_has('feeds:manage')));
create policy icorn_changes on feed for update to hub_app using ((select viewer_is_icorn() and viewer_has('feeds:manage')))
  with check ((select viewer_is_icorn() and viewer_has('feeds:manage')));
create policy icorn_keeps on feed_version for insert to hub_app with check ((select viewer_is_icorn() and viewer_has('feeds:manage')));

-- A secret goes where its feed goes: who can lead a feed elsewhere has its secret. By the API a feed stays where it was put, and its secrets
-- are named after it, with a sign that no feed's name has, so that none is another's. An operator may do otherwise.
create function feed_stays() returns trigger language plpgsql set search_path = hub, pg_temp as $$
declare
  named text := new.settings #>> '{auth,secret}';
  bell text := new.settings ->> 'doorbell';
begin
  if current_user = 'hub_app' and (named not like new.code || '\_%' or bell not like new.code || '\_%') then
    raise check_violation using message = 'a secret of another feed';
  end if;
  if current_user = 'hub_app' and tg_op = 'UPDATE' and (
      (regexp_match(old.settings ->> 'url', '^[^/]*//[^/?#]*'))[1] is distinct from (regexp_match(new.settings ->> 'url', '^[^/]*//[^/?#]*'))[1]
      or (old.settings #> '{auth,tokenUrl}') is distinct from (new.settings #> '{auth,tokenUrl}')
      or (old.settings #> '{auth,hostKey}') is distinct from (new.settings #> '{auth,hostKey}')) then
    raise check_violation using message = 'another origin';
  end if;
  return new;
end $$;
create trigger stays before insert or update of settings on feed for each row execute function feed_stays();
