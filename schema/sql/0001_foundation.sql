-- What every table stands on: schemas, the enum types of the public contract, the one clock, and who is asking.

create schema if not exists auth;
revoke all on schema hub, auth from public;
grant usage on schema hub to hub_app, hub_auth, hub_worker, hub_access;
grant usage on schema auth to hub_auth;
alter default privileges revoke execute on functions from public;

create type category as enum ('OVERVIEW', 'PROFILE', 'IDENTITY', 'CONTACT', 'WHEREABOUTS', 'THREAT', 'HEALTH', 'FAMILY', 'ASSESSMENT');
create type case_status as enum ('APPLICANT', 'IN_ASSESSMENT', 'CANDIDATE', 'PRESENTED', 'INVITED', 'RELOCATING', 'IN_RESIDENCE', 'ALUMNUS', 'DECLINED', 'WITHDRAWN', 'CLOSED');
create type discipline as enum ('WRITER', 'JOURNALIST', 'TRANSLATOR', 'PUBLISHER', 'VISUAL_ARTIST', 'CARTOONIST', 'MUSICIAN', 'FILMMAKER', 'PERFORMER', 'PHOTOGRAPHER', 'OTHER');
create type risk_level as enum ('LOW', 'MODERATE', 'HIGH', 'EXTREME');
create type urgency as enum ('ROUTINE', 'URGENT', 'EMERGENCY');
create type residency_status as enum ('OFFERED', 'ACCEPTED', 'ACTIVE', 'COMPLETED', 'CANCELLED');
create type organisation_kind as enum ('ICORN', 'SISTER', 'CITY');
create type access_status as enum ('INVITED', 'ACTIVE', 'DISABLED');
create type agreement_status as enum ('PROPOSED', 'ACTIVE', 'ENDED', 'EXPIRED');
create type consent_decision as enum ('ALLOW', 'DENY');
create type disclosure_basis as enum ('ICORN', 'AGREEMENT', 'REFERRER', 'RECIPIENT', 'PRESENTED', 'SHARE', 'EMERGENCY');
create type disclosure_gap as enum ('SCOPE', 'BASIS', 'CONSENT');
create type referral_status as enum ('SUBMITTED', 'RECEIVED', 'INFORMATION_REQUESTED', 'IN_REVIEW', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'REDIRECTED', 'COMPLETED');
create type decline_reason as enum ('OUT_OF_MANDATE', 'NO_CAPACITY', 'NOT_VERIFIED', 'ALREADY_HELPED', 'UNSAFE_TO_PROCEED', 'DUPLICATE', 'OTHER');
create type referral_event_kind as enum ('SUBMITTED', 'ACKNOWLEDGED', 'IN_REVIEW', 'INFORMATION_REQUESTED', 'INFORMATION_GIVEN', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'REDIRECTED', 'COMPLETED', 'MESSAGE');
create type presentation_status as enum ('OPEN', 'INVITED', 'DECLINED', 'WITHDRAWN', 'EXPIRED');
create type feed_kind as enum ('GRAPHQL', 'REST', 'KOBO', 'CIVICRM', 'FHIR', 'PRIMERO', 'ODK', 'CSV', 'HUB');
create type feed_state as enum ('FRESH', 'STALE', 'UNAVAILABLE');

create domain country_code as text check (value ~ '^[A-Z]{2}$');

-- The one clock. Every rule about time asks it, and test databases replace it.
create function hub_now() returns timestamptz language sql stable parallel safe return statement_timestamp();

-- A period that may turn out empty, where tstzrange would raise an error.
create function period(starts timestamptz, ends timestamptz) returns tstzrange language sql immutable parallel safe
  return case when starts < coalesce(ends, 'infinity') then tstzrange(starts, ends) else 'empty' end;

-- Does a period hold now? Written so that the planner expects half of the rows, not the one in two hundred it expects of a bare
-- @>: with that, a list in order would rather be sorted whole than read from its index.
create function holds(period tstzmultirange, at timestamptz) returns boolean language sql immutable parallel safe
  return coalesce(period @> at, false);

create function midnight(day date) returns timestamptz language sql immutable parallel safe
  return day::timestamp at time zone 'UTC';

-- Who asks, bound for one statement or transaction by set_config(..., true). After it the setting is '', which is nobody.
create function viewer_org() returns int language sql stable parallel safe
  return nullif(current_setting('hub.organisation', true), '')::int;
create function viewer_client() returns text language sql stable parallel safe
  return nullif(current_setting('hub.client', true), '');
create function viewer_user() returns text language sql stable parallel safe
  return nullif(current_setting('hub.user', true), '');
create function viewer_proof() returns bytea language sql stable parallel safe
  return decode(nullif(current_setting('hub.proof', true), ''), 'hex');
create function viewer_has(variadic scopes text[]) returns boolean language sql stable parallel safe
  return coalesce(string_to_array(current_setting('hub.scopes', true), ' ') @> scopes, false) and viewer_org() is not null;

grant execute on function hub_now, period, holds, midnight, viewer_org, viewer_client, viewer_user, viewer_proof, viewer_has
  to hub_app, hub_auth, hub_worker, hub_access;

-- The case ids of an answer, gathered from every depth of it for the audit record.
create aggregate concatenated(anycompatiblearray) (sfunc = array_cat, stype = anycompatiblearray, initcond = '{}', parallel = safe);
grant execute on function concatenated(anycompatiblearray) to hub_app;
