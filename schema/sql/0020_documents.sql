-- Trusted documents: what a client may ask, written down beforehand.

-- `documents_only`: it may send nothing else. `text_in_urls`: the URL of its GETs may hold text and variables, which logs on the way
-- then hold too. The token tells both; the gate looks at the first again, so that it holds at once.
alter table client
  add column documents_only boolean not null default false,
  add column text_in_urls boolean not null default false;

-- The id of a document is the SHA-256 of its text, so that no id can come to mean another text.
create table trusted_document (
  client_id text not null references client on delete cascade,
  digest bytea not null,
  text text not null,
  names text[] not null,
  published_at timestamptz not null default hub_now(),
  primary key (client_id, digest),
  check (digest = sha256(convert_to(text, 'UTF8')))
);
alter table trusted_document enable row level security, force row level security;

-- A client's documents are its own to ask for, and nobody's to change while requests are answered.
grant select on trusted_document to hub_app;
create policy own on trusted_document for select to hub_app
  using (client_id = (select viewer_client()) and exists (select from client c where c.client_id = trusted_document.client_id));

-- The authorization server's role keeps clients, and so what they may ask.
grant select, insert, delete on trusted_document to hub_auth;
create policy server on trusted_document to hub_auth using (true) with check (true);
grant select (documents_only, text_in_urls), update (documents_only, text_in_urls) on client to hub_auth;
create policy auth_sets on client for update to hub_auth using (true) with check (true);

-- How the one who is bound to this statement stands, with this document: null when in no good standing; else whether it may be run, as one
-- of its own published ones where only such may be, or where its id was given. Asked by the gate before anything is read.
create function viewer_standing(token text, operation bytea, by_id boolean) returns boolean
  language sql stable security definer set search_path = hub, pg_temp
  return (
    select not c.documents_only and not by_id
      or exists (select from trusted_document d where d.client_id = c.client_id and d.digest = operation)
    from client c
    where c.client_id = viewer_client()
      and token_is_live(token, viewer_client(), viewer_org(), viewer_user(), string_to_array(current_setting('hub.scopes', true), ' ', '')));
grant execute on function viewer_standing to hub_app;
grant select (client_id, digest) on trusted_document to hub_access;
create policy access on trusted_document for select to hub_access using (true);
grant create on schema hub to hub_access;
alter function viewer_standing owner to hub_access;
revoke create on schema hub from hub_access;
