-- The audit log: one Merkle tree (RFC 9162, section 2.1) for each organisation, its signed heads, and how it is read.
-- An entry names people by pseudonyms that are each organisation's own, and says on which basis each category was open then.

-- A person in an entry: the pseudonym, and the bases of each category that was read, seven bits a category in the order of the
-- enum types: bit 7 * category + basis. No bit of a category means that it was not open, or not asked for.
create type seen as (subject uuid, basis bigint);

create function basis_bit(k category, b disclosure_basis) returns bigint language sql stable parallel safe
  return 1::bigint << (7 * array_position(enum_range(null::category), k) + array_position(enum_range(null::disclosure_basis), b) - 8);
create function basis_categories(bits bigint) returns category[] language sql stable parallel safe
  return array(select k from unnest(enum_range(null::category)) with ordinality c(k, n) where bits >> (7 * n - 7)::int & 127 > 0 order by n);
create function basis_names(bits bigint) returns disclosure_basis[] language sql stable parallel safe
  return array(select b from unnest(enum_range(null::disclosure_basis)) with ordinality d(b, n) where exists (
    select from generate_series(0, 8) k where bits >> (7 * k + n - 1)::int & 1 = 1) order by n);
grant execute on function basis_bit, basis_categories, basis_names to hub_app, hub_access, hub_worker;

-- What an organisation's log calls a case or referral: a digest keyed by the secret of that case or referral (its column
-- `pseudonym`, random and never told), so that two organisations' logs have no name in common. With the case go the secret and
-- the names, and what remains in the log belongs to nobody.
create function audit_name(org int, secret uuid) returns uuid language sql immutable parallel safe
  return encode(substr(sha256(uuid_send(secret) || int4send(org)), 1, 16), 'hex')::uuid;
grant execute on function audit_name to hub_access;

create table audit_pseudonym (
  pseudonym uuid primary key,
  organisation int not null references organisation on delete cascade,
  case_id uuid references case_file on delete cascade,
  referral_id uuid references referral on delete cascade,
  check (num_nonnulls(case_id, referral_id) = 1)
);
create index on audit_pseudonym (case_id);
create index on audit_pseudonym (referral_id);

-- The bases of a case as a step function of time: from basis_from[i] on they are basis[i]. A read looks up one number.
alter table case_access add column basis_from timestamptz[] not null default '{}', add column basis bigint[] not null default '{}';
alter table referral_access add column basis bigint not null default 0;

create function note_case_basis() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.pseudonym := audit_name(new.organisation, new.pseudonym);
    insert into audit_pseudonym (pseudonym, organisation, case_id) values (new.pseudonym, new.organisation, new.case_id) on conflict do nothing;
  end if;
  with basis as materialized (
    select b.period, bit_or(basis_bit(b.category, b.basis)) as bits from case_basis b
    where b.organisation = new.organisation and b.case_id = new.case_id and not isempty(b.period) group by b.period
  ), step as (
    select coalesce(lower(period), '-infinity') as starts from basis union select upper(period) from basis where not upper_inf(period)
  )
  select coalesce(array_agg(s.starts order by s.starts), '{}'), coalesce(array_agg(
      coalesce((select bit_or(b.bits) from basis b where b.period @> s.starts), 0) order by s.starts), '{}')
    into new.basis_from, new.basis from step s;
  return new;
end $$;
create function note_referral_basis() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.pseudonym := audit_name(new.organisation, new.pseudonym);
    insert into audit_pseudonym (pseudonym, organisation, referral_id) values (new.pseudonym, new.organisation, new.referral_id) on conflict do nothing;
  end if;
  select bit_or(basis_bit(k, case new.organisation when f.sender then 'REFERRER' when f.recipient then 'RECIPIENT' else 'ICORN' end::disclosure_basis))
    into new.basis from referral f, unnest(enum_range(null::category)) k where f.id = new.referral_id;
  return new;
end $$;
create trigger note_basis before insert or update on case_access for each row execute function note_case_basis();
create trigger note_basis before insert or update on referral_access for each row execute function note_referral_basis();

-- Entries until now named no bases, and their chains are no trees: they are sequenced anew.
drop table audit_leaf;
alter table audit drop column subjects;
alter table audit add column subjects seen[] not null default '{}', add column outcome text not null default 'DONE' check (outcome in ('DONE', 'REFUSED'));
alter table audit alter column subjects drop default;
grant insert (subjects, outcome) on audit to hub_app;

-- `entry` is the text that is hashed. nodes[1] is its hash; nodes[n + 1] that of the complete subtree of 2^n leaves that ends here:
-- together every node of the tree that will never change, two a leaf.
create table audit_leaf (
  organisation int not null references organisation,
  leaf_index bigint not null,
  audit_id uuid not null unique references audit,
  entry text not null,
  nodes bytea[] not null,
  primary key (organisation, leaf_index)
);

-- An entry as its readers find it, once for each person in it (number 0 when there was none), and nothing to be joined: so that a
-- page costs the same however long the logs are: `reader` is the organisation itself and, in a row of its own, ICORN. `at` is the hour, `leaf` the start of the leaf's hash, `categories` what was asked.
create table audit_event (
  reader int not null references organisation,
  organisation int not null references organisation,
  leaf_index bigint not null,
  ordinal int not null,
  subject uuid,
  basis bigint not null,
  at timestamptz not null,
  name text collate "C" not null,
  leaf uuid not null,
  actor text not null,
  action text not null,
  outcome text not null,
  purpose text,
  categories category[] not null,
  primary key (organisation, leaf_index, ordinal, reader),
  unique (reader, leaf, ordinal),
  foreign key (organisation, leaf_index) references audit_leaf
);
create index on audit_event (reader, subject);
create index on audit_event (reader, at, name);

-- Every head that was ever signed. `signature` is a JWS (RFC 7515) whose payload says all of it: who keeps it needs nothing else.
create table audit_head (
  organisation int not null references organisation,
  size bigint not null check (size > 0),
  root bytea not null,
  at timestamptz not null,
  signature text not null,
  primary key (organisation, size)
);

-- Keys that sign heads (Ed25519); the private part is wrapped by a key-encryption key that lives outside the database.
create table audit_key (
  kid text primary key,
  kek text not null,
  wrapped bytea not null,
  created_at timestamptz not null
);

-- Every record of a transaction before this one has its leaf: a worker that starts looks no further back.
create table audit_horizon (
  one boolean primary key default true check (one),
  xid xid8 not null
);

-- The hash of the `size` leaves from `first` on, a place in the tree where such a subtree begins (RFC 9162, 2.1.1).
create function audit_subtree(org int, first bigint, size bigint) returns bytea language plpgsql stable set search_path = hub, pg_temp as $$
declare
  found bytea;
  node bytea;
  ends bigint := first + size;
  level int := 0;
begin
  while ends > first loop
    if (ends - first) >> level & 1 = 1 then
      select l.nodes[level + 1] into strict node from audit_leaf l where l.organisation = org and l.leaf_index = ends - 1;
      found := case when found is null then node else sha256('\x01'::bytea || node || found) end;
      ends := ends - (1::bigint << level);
    end if;
    level := level + 1;
  end loop;
  return found;
end $$;

-- PATH(place, D[size]) (RFC 9162, 2.1.3.1): what beside a leaf gives the root, from the leaf up.
create function audit_path(org int, place bigint, size bigint) returns text[] language plpgsql stable set search_path = hub, pg_temp as $$
declare
  found text[] := '{}';
  first bigint := 0;
  half bigint;
begin
  while size > 1 loop
    half := audit_half(size);
    if place < half then
      found := encode(audit_subtree(org, first + half, size - half), 'base64') || found;
      size := half;
    else
      found := encode(audit_subtree(org, first, half), 'base64') || found;
      first := first + half;
      place := place - half;
      size := size - half;
    end if;
  end loop;
  return found;
end $$;

-- PROOF(old, D[size]) (RFC 9162, 2.1.4.1): that the first `old` leaves of a tree are all the leaves of an earlier one.
create function audit_consistency(org int, old bigint, size bigint) returns text[] language plpgsql stable set search_path = hub, pg_temp as $$
declare
  found text[] := '{}';
  first bigint := 0;
  half bigint;
begin
  while old < size loop
    half := audit_half(size);
    if old <= half then
      found := encode(audit_subtree(org, first + half, size - half), 'base64') || found;
      size := half;
    else
      found := encode(audit_subtree(org, first, half), 'base64') || found;
      first := first + half;
      old := old - half;
      size := size - half;
    end if;
  end loop;
  return case when first = 0 then found else encode(audit_subtree(org, first, size), 'base64') || found end;
end $$;

-- The largest power of two below a size.
create function audit_half(size bigint) returns bigint language sql immutable parallel safe
  return 1::bigint << (length(ltrim((size - 1)::bit(63)::text, '0')) - 1);
create function audit_size(written text) returns bigint language sql immutable parallel safe
  return case when written ~ '^[1-9][0-9]{0,17}$' then written::bigint end;
grant execute on function audit_subtree, audit_path, audit_consistency, audit_half, audit_size to hub_app;

-- Whom a command concerned, as far as the asker sees them: what it changed is a case, a referral, or belongs to one.
create function audit_written(wanted uuid) returns seen[] language sql stable security definer set search_path = hub, pg_temp as $$
  with about as (
    select wanted as id
    union select unnest(array[c.case_id, c.referral_id]) from consent c where c.id = wanted
    union select r.case_id from residency r where r.id = wanted
    union select p.case_id from presentation p where p.id = wanted
  )
  select coalesce(array_agg(row(s.pseudonym, s.basis & 127)::seen), '{}') from (
    select a.pseudonym, coalesce(a.basis[width_bucket(hub_now(), a.basis_from)], 0) as basis from case_access a join about on a.case_id = about.id
      where a.organisation = viewer_org() and holds(a.overview, hub_now())
    union all
    select a.pseudonym, a.basis from referral_access a join about on a.referral_id = about.id
      where a.organisation = viewer_org() and holds(a.visible, hub_now())) s $$;
grant execute on function audit_written to hub_app;

do $$
declare noun text;
begin
  foreach noun in array array['audit_pseudonym', 'audit_leaf', 'audit_event', 'audit_head', 'audit_key', 'audit_horizon'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
  end loop;
  -- The log is added to and never changed: nobody has UPDATE or DELETE on it.
  foreach noun in array array['audit_leaf', 'audit_event', 'audit_head', 'audit_key'] loop
    execute format('grant select, insert on %I to hub_worker', noun);
    execute format('create policy sequence on %I to hub_worker using (true) with check (true)', noun);
  end loop;
  -- An organisation reads its own log, ICORN all of them.
  foreach noun in array array['audit_leaf', 'audit_head'] loop
    execute format('create policy reader on %I for select to hub_app using ((select viewer_has(''audit:read''))'
      ' and (organisation = (select viewer_org()) or (select viewer_is_icorn())))', noun);
  end loop;
end $$;
grant select, insert, update (xid) on audit_horizon to hub_worker;
create policy sequence on audit_horizon to hub_worker using (true) with check (true);
create policy reader on audit_event for select to hub_app using ((select viewer_has('audit:read')) and reader = (select viewer_org()));
grant select on audit_leaf, audit_event, audit_head to hub_app;

-- Who a pseudonym is, for whoever may see the case or the referral now.
grant select, insert on audit_pseudonym to hub_access;
create policy access on audit_pseudonym to hub_access using (true) with check (true);
grant select on audit_pseudonym to hub_app;
create policy reader on audit_pseudonym for select to hub_app using ((select viewer_has('audit:read'))
  and (organisation = (select viewer_org()) or (select viewer_is_icorn()))
  and ((select viewer_has('cases:read')) and exists (select from case_access a
        where a.organisation = (select viewer_org()) and a.case_id = audit_pseudonym.case_id and holds(a.overview, (select hub_now())))
    or (select viewer_has('referrals:read')) and exists (select from referral_access a
        where a.organisation = (select viewer_org()) and a.referral_id = audit_pseudonym.referral_id and holds(a.visible, (select hub_now())))));

grant create on schema hub to hub_access;
alter function audit_written owner to hub_access;
revoke create on schema hub from hub_access;

-- What is stored already gets its names and bases: the rows are those of hub_access to see.
set local role hub_access;
update case_access set pseudonym = audit_name(organisation, pseudonym);
update referral_access set pseudonym = audit_name(organisation, pseudonym);
insert into audit_pseudonym (pseudonym, organisation, case_id) select pseudonym, organisation, case_id from case_access;
insert into audit_pseudonym (pseudonym, organisation, referral_id) select pseudonym, organisation, referral_id from referral_access;
set local role hub_owner;
