"""This module holds what is asked, in GraphQL of the hub and in SQL of the bare limit: the same answer for both."""

Q1 = """{ cases(first: 50) { edges { node { id reference origin riskLevel status
  referrals(first: 5) { edges { node { status urgency submittedAt from { name } } } }
  residencies { status city { name country } } } } } }"""
Q1_IDENTITY = Q1.replace("riskLevel status", "riskLevel status identity { givenName familyName bornOn }")
Q4 = "{ cases(first: 500) { edges { node { id reference origin discipline riskLevel status openedOn updatedAt } } } }"

# As fast as the same JSON can be had: no row security, no gate, no audit, the restriction to the partner's rows alone.
BARE = """
select json_build_object('data', json_build_object('cases', json_build_object('edges', coalesce(json_agg(json_build_object('node', row_to_json(c))
  order by n), '[]'))))
from (
  select 'case_' || a.pairwise as id, a.reference, f.origin, a.risk_level as "riskLevel", f.status,
    r.j as referrals, s.j as residencies
  from (select * from case_access where organisation = $1 and coalesce(overview @> now(), false) order by opened_on desc, pairwise desc limit 50) a
  join case_file f on f.id = a.case_id
  cross join lateral (select json_build_object('edges', coalesce(json_agg(json_build_object('node', row_to_json(r))), '[]')) as j from (
    select x.status, x.urgency, x.submitted_at as "submittedAt", json_build_object('name', o.name) as from
    from referral x join referral_access v on v.referral_id = x.id and v.organisation = $1 join organisation o on o.id = x.sender
    where x.case_id = a.case_id order by x.submitted_at desc, v.pairwise desc limit 5) r) r
  cross join lateral (select coalesce(json_agg(json_build_object('status', x.status, 'city', json_build_object('name', c.name, 'country', c.country))
    order by x.starts_on desc), '[]') as j from residency x join city c on c.id = x.city where x.case_id = a.case_id) s
  order by a.opened_on desc, a.pairwise desc
) c, lateral (select row_number() over () as n) n
"""
