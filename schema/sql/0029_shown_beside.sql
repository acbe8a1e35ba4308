-- What a list shows of each row stands beside the row's periods, as its sort keys do: a page is one index range over what its viewer
-- may see, and neither the list nor the row policies look anything up row by row. Changes of a case or referral refresh both tables
-- in their own transaction (access_follows), and these triggers fill in what is shown, as note_basis does what the log says.

alter table case_access
  add column status case_status, add column discipline discipline, add column origin country_code;
alter table referral_access
  add column sender int, add column recipient int, add column status referral_status, add column discipline discipline, add column origin country_code,
  add column shared_categories category[], add column decline_reason decline_reason, add column case_id uuid;

create function note_case_shown() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  select f.status, f.discipline, f.origin into new.status, new.discipline, new.origin from case_file f where f.id = new.case_id;
  return new;
end $$;
create function note_referral_shown() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  select f.sender, f.recipient, f.status, f.discipline, f.origin, f.shared_categories, f.decline_reason, f.case_id
    into new.sender, new.recipient, new.status, new.discipline, new.origin, new.shared_categories, new.decline_reason, new.case_id
    from referral f where f.id = new.referral_id;
  return new;
end $$;
create trigger note_shown before insert or update on case_access for each row execute function note_case_shown();
create trigger note_shown before insert or update on referral_access for each row execute function note_referral_shown();

-- What is stored already is filled in too, as what it is and nothing that happens now: the rows are those of hub_access to see.
alter table case_access disable trigger user;
alter table referral_access disable trigger user;
set local role hub_access;
update case_access a set status = f.status, discipline = f.discipline, origin = f.origin from case_file f where f.id = a.case_id;
update referral_access a set sender = f.sender, recipient = f.recipient, status = f.status, discipline = f.discipline, origin = f.origin,
  shared_categories = f.shared_categories, decline_reason = f.decline_reason, case_id = f.case_id from referral f where f.id = a.referral_id;
set local role hub_owner;
alter table case_access enable trigger user;
alter table referral_access enable trigger user;

alter table case_access alter column status set not null, alter column discipline set not null;
alter table referral_access alter column sender set not null, alter column recipient set not null, alter column status set not null,
  alter column discipline set not null, alter column shared_categories set not null;

create index on referral_access (organisation, case_id, submitted_at, pairwise) where case_id is not null;
-- ICORN lists what everyone was asked to delete, whether or not it was.
create index on retraction (at, id);

-- Whom an answer showed is compressed with each record that is written: pglz took a twentieth of a request for it.
do $$
begin
  if (select 'lz4' = any (enumvals) from pg_settings where name = 'default_toast_compression') then
    alter table audit alter column subjects set compression lz4;
  end if;
end $$;
