-- What the authorization server keeps: client keys, its own signing keys, and what may be used once.
-- Only hub_auth comes in here; the role of GraphQL requests has no right to anything in this schema.

-- The public keys of a client, a JWK Set (RFC 7517) that passed the checks of registration.
create table auth.client_key (
    client_id text primary key references hub.client on delete cascade,
    jwks jsonb not null check (jsonb_typeof(jwks -> 'keys') = 'array')
);

-- Digests of client assertions already used (RFC 7523, section 3), until they would be refused for their age.
create table auth.assertion_jti (
    digest bytea primary key check (length(digest) = 32),
    until timestamptz not null
);
create index assertion_jti_until on auth.assertion_jti (until);

-- Digests of DPoP proofs already used at the token endpoint (RFC 9449, section 11.1).
create table auth.token_proof (
    digest bytea primary key check (length(digest) = 32),
    until timestamptz not null
);
create index token_proof_until on auth.token_proof (until);

-- Keys that sign access tokens. The private part is wrapped by a key-encryption key that lives outside the database.
-- kid is the RFC 7638 thumbprint; after retires_at nothing signed with the key is believed.
create table auth.signing_key (
    kid text primary key,
    alg text not null check (alg = 'ES256'),
    public jsonb not null,
    private bytea not null,
    kek_id text not null,
    created_at timestamptz not null,
    retires_at timestamptz
);

alter table auth.client_key enable row level security;
alter table auth.client_key force row level security;
alter table auth.assertion_jti enable row level security;
alter table auth.assertion_jti force row level security;
alter table auth.token_proof enable row level security;
alter table auth.token_proof force row level security;
alter table auth.signing_key enable row level security;
alter table auth.signing_key force row level security;

create policy server on auth.client_key to hub_auth using (true) with check (true);
create policy server on auth.assertion_jti to hub_auth using (true) with check (true);
create policy server on auth.token_proof to hub_auth using (true) with check (true);
create policy server on auth.signing_key to hub_auth using (true) with check (true);

grant select, insert, update (jwks) on auth.client_key to hub_auth;
grant select, insert, delete on auth.assertion_jti, auth.token_proof to hub_auth;
grant select, insert, update (private, kek_id, retires_at), delete on auth.signing_key to hub_auth;

-- Of the hub's own tables the server sees which clients and organisations are live, and may register clients.
create policy auth_reads on hub.client for select to hub_auth using (true);
create policy auth_registers on hub.client for insert to hub_auth with check (true);
create policy auth_reads on hub.organisation for select to hub_auth using (true);
grant select (client_id, organisation, scopes, purpose, status) on hub.client to hub_auth;
grant insert (client_id, organisation, name, scopes, purpose, status) on hub.client to hub_auth;
grant select (id, suspended_at) on hub.organisation to hub_auth;
