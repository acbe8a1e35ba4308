-- A world of {cases} cases, as many referrals, three residencies for ten cases, and whatever organisations there are. Nothing in it is
-- drawn by chance, so that two of a size are alike. The rule itself decides for one case of each origin; all others are like it.
set search_path = hub;
set session_replication_role = replica;
update pairwise_key set inner_pad = padded(sha256(int4send(organisation)), 54), outer_pad = padded(sha256(int4send(organisation)), 92);
insert into city (code, name, country) select 'city-' || i, 'City ' || i, 'NO' from generate_series(1, 84) i;
create temp table made as select i, md5('case' || i)::uuid as case_id, 'A' || chr(65 + i % 20) as origin from generate_series(1, {cases}) i;
insert into case_file (id, status, discipline, origin, risk_level, opened_on, updated_at, pseudonym)
  select case_id, (enum_range(null::case_status))[1 + i % 11], (enum_range(null::discipline))[1 + i % 7], origin,
    (enum_range(null::risk_level))[1 + i % 4], date '2022-01-01' + (i * 1500::bigint / {cases})::int, timestamptz '2026-01-01' + i * interval '1 second',
    md5('secret' || i)::uuid from made;
insert into agreement (id, organisation, purpose, categories, origins, valid_from, approved_at)
  select md5('agreement' || o.id)::uuid, o.id, 'PROTECTION', '{{OVERVIEW,PROFILE,IDENTITY,WHEREABOUTS}}', array['A' || chr(65 + o.id % 20)], '2022-01-01', '2022-01-01'
  from organisation o where kind = 'SISTER';
insert into consent (id, case_id, decision, categories, given_on, recorded_by)
  select md5('consent' || i)::uuid, case_id, 'ALLOW', '{{OVERVIEW,PROFILE,IDENTITY,WHEREABOUTS}}', '2022-01-01', 1 from made;
insert into referral (id, sender, recipient, urgency, discipline, origin, submitted_at, updated_at, client, shared_categories, case_id, pseudonym)
  select md5('referral' || i)::uuid, coalesce((select min(a.organisation) from agreement a where a.origins = array[m.origin]), 2), 1,
    (enum_range(null::urgency))[1 + i % 3], 'WRITER', origin, timestamptz '2025-01-01' + i * interval '1 second', '2026-01-01', 'load', '{{OVERVIEW,IDENTITY}}',
    case_id, md5('person' || i)::uuid from made m;
insert into residency (id, case_id, city, status, starts_on)
  select md5('residency' || i)::uuid, case_id, 1 + i % 84, 'ACTIVE', date '2024-01-01' + i % 700 from made where i / 20 % 10 < 3;
set session_replication_role = origin;
analyze;
select refresh_case_access(array_agg(case_id), null) from made where i <= 20;
select refresh_referral_access(array_agg(md5('referral' || i)::uuid)) from made where i <= 20;
set session_replication_role = replica;
-- Indexes built at once take a tenth of what they take row by row; building them makes them whole again.
update pg_index set indisready = false where indrelid in ('case_access'::regclass, 'referral_access'::regclass);
insert into case_access
    (organisation, case_id, pairwise, reference, pseudonym, opened_on, updated_at, risk_level, overview, profile, identity, contact, whereabouts,
     threat, health, family, assessment, basis_from, basis, lapses, status, discipline, origin)
  select t.organisation, f.id, p.id, spoken('C-', p.id), audit_name(t.organisation, f.pseudonym), f.opened_on, f.updated_at, f.risk_level,
    t.overview, t.profile, t.identity, t.contact, t.whereabouts, t.threat, t.health, t.family, t.assessment, t.basis_from, t.basis, t.lapses,
    f.status, f.discipline, f.origin
  from case_file f join case_access t on t.origin = f.origin and t.case_id <> f.id and not exists (select from made m where m.case_id = f.id and m.i <= 20)
  cross join lateral (select pairwise(t.organisation, 'case', f.id) as id) p;
insert into referral_access
    (organisation, referral_id, pairwise, reference, pseudonym, submitted_at, updated_at, urgency, visible, profile, identity, contact, whereabouts,
     threat, health, family, basis, lapses, sender, recipient, status, discipline, origin, shared_categories, decline_reason, case_id)
  select t.organisation, f.id, p.id, spoken('R-', p.id), audit_name(t.organisation, f.pseudonym), f.submitted_at, f.updated_at, f.urgency,
    t.visible, t.profile, t.identity, t.contact, t.whereabouts, t.threat, t.health, t.family, t.basis, t.lapses,
    f.sender, f.recipient, f.status, f.discipline, f.origin, f.shared_categories, f.decline_reason, f.case_id
  from referral f join referral_access t on t.origin = f.origin and t.referral_id <> f.id
    and not exists (select from made m where md5('referral' || m.i)::uuid = f.id and m.i <= 20)
  cross join lateral (select pairwise(t.organisation, 'referral', f.id) as id) p;
set session_replication_role = origin;
reindex table case_access;
reindex table referral_access;
drop table made;
