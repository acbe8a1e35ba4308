-- 20,000 cases, 60,000 referrals, 6,000 residencies, 40 organisations; each partner's agreement opens 5 % of the cases to it.
set search_path = hub;
set session_replication_role = replica;
select setseed(0.42);
insert into city (code, name, country) select 'city-' || i, 'City ' || i, 'NO' from generate_series(1, 84) i;
insert into case_file (id, status, discipline, origin, risk_level, opened_on, updated_at)
  select uuidv7(), (enum_range(null::case_status))[1 + (random() * 10)::int], (enum_range(null::discipline))[1 + (random() * 10)::int],
    'A' || chr(65 + i % 20), (enum_range(null::risk_level))[1 + (random() * 3)::int], date '2022-01-01' + i / 15, now() - i * interval '1 minute'
  from generate_series(1, 20000) i;
create temp table numbered as select id, origin, row_number() over (order by opened_on, id) as i from case_file;
insert into agreement (organisation, purpose, categories, origins, valid_from, approved_at)
  select o.id, 'PROTECTION', '{OVERVIEW,PROFILE,IDENTITY,WHEREABOUTS}', array['A' || chr(65 + o.id % 20)], '2022-01-01', '2022-01-01'
  from organisation o where kind = 'SISTER';
insert into consent (id, case_id, decision, organisation, categories, given_on, recorded_by)
  select gen_random_uuid(), id, 'ALLOW', null, '{OVERVIEW,PROFILE,IDENTITY,WHEREABOUTS}', '2022-01-01', 1 from case_file;
insert into referral (id, sender, recipient, urgency, discipline, origin, submitted_at, updated_at, client, shared_categories, case_id)
  select gen_random_uuid(), coalesce((select g.organisation from agreement g where g.origins[1] = n.origin order by g.organisation limit 1), 2), 1,
    (enum_range(null::urgency))[1 + r % 3], 'WRITER', n.origin, now() - r * interval '1 minute', now(), 'load', '{OVERVIEW,IDENTITY}', n.id
  from generate_series(1, 60000) r join numbered n on n.i = 1 + (r * 7) % 20000;
insert into residency (id, case_id, city, status, starts_on)
  select gen_random_uuid(), n.id, 1 + (n.i % 84)::int, 'ACTIVE', date '2024-01-01' + (n.i % 700)::int from numbered n where n.i % 10 < 3;
set session_replication_role = origin;
select refresh_case_access(null, id) from organisation;
select refresh_referral_access(array_agg(id)) from referral;
