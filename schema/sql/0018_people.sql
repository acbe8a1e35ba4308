-- People: who a user is, and how they sign in. Names and addresses are sealed; what a browser or an invitation holds is kept as a digest.

create table usr (
  id uuid primary key default gen_random_uuid(),
  organisation int not null references organisation,
  roles text[] not null check (cardinality(roles) > 0 and roles <@ '{PARTNER_ADMIN,PARTNER_STAFF,ICORN_STAFF,ICORN_ADMIN}'::text[]),
  scopes text[] not null,
  status access_status not null default 'INVITED',
  -- How often the user has stopped being active: what was begun before (a session, a grant) does not come back to life with them.
  standing int not null default 0,
  -- To the hour: enough to see an account that nobody uses, too little to tell who works when.
  last_seen_at timestamptz check (last_seen_at = date_trunc('hour', last_seen_at, 'UTC')),
  -- Keyed, over the organisation and the address: equal addresses of two organisations are not seen to be equal.
  email_digest bytea not null check (length(email_digest) = 32),
  -- {email, name} under a key of the user's own.
  kek text not null,
  wrapped bytea not null,
  sealed bytea not null,
  unique (organisation, email_digest)
);

create function usr_leaves() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if old.status = 'ACTIVE' and new.status <> 'ACTIVE' then
    new.standing := old.standing + 1;
  end if;
  return new;
end $$;
create trigger usr_leaves before update of status on usr for each row execute function usr_leaves();

-- A WebAuthn credential. Its label is the user's own words, so it is sealed too.
create table auth.passkey (
  credential_id bytea primary key check (length(credential_id) between 16 and 1023),
  usr uuid not null references hub.usr on delete cascade,
  public_key bytea not null,
  sign_count bigint not null check (sign_count >= 0),
  transports text[] not null default '{}',
  label bytea not null,
  created_at timestamptz not null,
  used_at timestamptz check (used_at = date_trunc('hour', used_at, 'UTC'))
);
create index passkey_usr on auth.passkey (usr);

-- Digests of challenges that a passkey has signed, until they would be refused for their age. One that nobody signs leaves nothing here.
create table auth.used_challenge (
  digest bytea primary key check (length(digest) = 32),
  until timestamptz not null
);
create index used_challenge_until on auth.used_challenge (until);

create table auth.invitation (
  digest bytea primary key check (length(digest) = 32),
  usr uuid not null references hub.usr on delete cascade,
  until timestamptz not null,
  used_at timestamptz
);
create index invitation_usr on auth.invitation (usr);

create table auth.session (
  digest bytea primary key check (length(digest) = 32),
  usr uuid not null references hub.usr on delete cascade,
  standing int not null,
  created_at timestamptz not null,
  authenticated_at timestamptz not null,
  means text not null default 'PASSKEY' check (means in ('PASSKEY', 'PROVIDER')),
  seen_at timestamptz not null,
  until timestamptz not null,
  ended_at timestamptz
);
create index session_usr on auth.session (usr);
create index session_until on auth.session (until);

-- A person who lost every passkey: one admin asks, another confirms, and the one who asked fetches the new invitation.
create table auth.recovery (
  id uuid primary key default gen_random_uuid(),
  usr uuid not null references hub.usr on delete cascade,
  asked_by uuid not null references hub.usr on delete cascade,
  asked_at timestamptz not null,
  until timestamptz not null,
  confirmed_by uuid references hub.usr on delete cascade,
  confirmed_at timestamptz,
  ended_at timestamptz,
  check (asked_by <> usr and confirmed_by <> usr and confirmed_by <> asked_by),
  check ((confirmed_by is null) = (confirmed_at is null))
);
create unique index one_recovery on auth.recovery (usr) where ended_at is null;

-- An organisation's own OpenID provider. Its secret stands where feeds' secrets do, and is only named here.
create table auth.provider (
  organisation int primary key references hub.organisation on delete cascade,
  issuer text not null,
  client_id text not null,
  secret text not null
);

-- Who a user is to that provider: a keyed digest of its issuer and their `sub`, linked by the invitation.
create table auth.identity (
  digest bytea primary key check (length(digest) = 32),
  usr uuid not null unique references hub.usr on delete cascade
);

alter table usr enable row level security, force row level security;
do $$
declare noun text;
begin
  foreach noun in array array['passkey', 'used_challenge', 'invitation', 'session', 'recovery', 'provider', 'identity'] loop
    execute format('alter table auth.%I enable row level security, force row level security', noun);
    execute format('create policy server on auth.%I to hub_auth using (true) with check (true)', noun);
  end loop;
end $$;

-- The authorization server alone knows who signs in; it can neither move a user to another organisation nor remove one.
create policy server on usr to hub_auth using (true) with check (true);
grant select on usr to hub_auth;
grant insert (id, organisation, roles, scopes, email_digest, kek, wrapped, sealed) on usr to hub_auth;
grant update (roles, scopes, status, last_seen_at, email_digest, kek, wrapped, sealed) on usr to hub_auth;
grant select, insert, update (sign_count, used_at), delete on auth.passkey to hub_auth;
grant select, insert, delete on auth.used_challenge to hub_auth;
grant select, insert, update (used_at), delete on auth.invitation to hub_auth;
grant select, insert, update (seen_at, ended_at), delete on auth.session to hub_auth;
grant select, insert, update (confirmed_by, confirmed_at, ended_at) on auth.recovery to hub_auth;
grant select, insert, update (issuer, client_id, secret), delete on auth.provider to hub_auth;
grant select, insert, delete on auth.identity to hub_auth;
grant select (code, name, kind) on organisation to hub_auth;

-- Whoever wraps keys anew wraps those of users too, and sees nothing else of them.
create policy rewrap on usr to hub_worker using (true) with check (true);
grant select (id, kek, wrapped), update (kek, wrapped) on usr to hub_worker;
grant maintain on usr to hub_worker;
create index on usr (kek);
set local role hub_access;
grant execute on function hub.refuse_destroyed_epoch to hub_owner;
set local role hub_owner;
create trigger refuse_destroyed_epoch after insert or update on usr for each row execute function hub.refuse_destroyed_epoch('kek');

-- The gate looks at the user too, when a person asks: active, of the organisation that the token names, and with every scope it has.
grant select (id, organisation, scopes, status) on usr to hub_access;
create policy access on usr for select to hub_access using (true);
