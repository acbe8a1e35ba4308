"""This module holds what is asked: in GraphQL of the hub and of its peers, and in SQL of the bare limit; the same answer from all."""

from dataclasses import dataclass
from typing import Final

CHILDREN: Final = """id reference origin riskLevel status
  referrals(first: 5) { edges { node { status urgency submittedAt from { name } } } }
  residencies { status city { name country } }"""
FLAT: Final = "id reference origin discipline riskLevel status openedOn updatedAt"
Q1 = f"{{ cases(first: 50) {{ edges {{ node {{ {CHILDREN} }} }} }} }}"
Q1_IDENTITY = Q1.replace("riskLevel status", "riskLevel status identity { givenName familyName bornOn }")
Q2 = f"query ($id: ID!) {{ case(by: {{id: $id}}) {{ {CHILDREN} }} }}"
Q3 = """mutation ($key: String!) { submitReferral(input: {idempotencyKey: $key, discipline: WRITER, urgency: URGENT, reason: "Asked us for help.",
  person: {identity: {familyName: "Bench"}},
  consents: [{decision: ALLOW, recipients: {everyPartner: true}, categories: [OVERVIEW, IDENTITY], givenOn: "2026-05-30", evidence: "Form."}]}) {
  referral { id status urgency submittedAt } problems { code } } }"""
Q4 = f"{{ cases(first: 500) {{ edges {{ node {{ {FLAT} }} }} }} }}"

_PLAIN: Final = """id reference origin riskLevel status
  referrals(first: 5) { status urgency submittedAt from { name } } residencies { status city { name country } }"""
_TABLES: Final = """id: pairwise reference origin riskLevel status
  referrals: referralAccessesByOrganisationAndCaseId(first: 5, orderBy: [SUBMITTED_AT_DESC, PAIRWISE_DESC]) {
    nodes { status urgency submittedAt from: organisationBySender { name } } }
  file: caseFileByCaseId { residencies: residenciesByCaseId(orderBy: [STARTS_ON_DESC]) { nodes { status city: cityByCity { name country } } } }"""
_NEWEST: Final = "orderBy: [OPENED_ON_DESC, PAIRWISE_DESC]"


@dataclass(frozen=True)
class Question:
    """One question, in the words of everyone it is put to; `rows` is about how many its answer has."""

    name: str
    hub: str
    plain: str = ""
    """Of schemas written by hand: Mercurius, Yoga, Apollo, Strawberry."""
    tables: str = ""
    """Of PostGraphile's, which is the tables'."""


QUESTIONS: Final = {
    "Q1": Question(
        "Q1 50 cases with children",
        Q1,
        f"{{ cases(first: 50) {{ {_PLAIN} }} }}",
        f"{{ cases: allCaseAccesses(first: 50, {_NEWEST}) {{ nodes {{ {_TABLES} }} }} }}",
    ),
    "Q2": Question(
        "Q2 one case",
        Q2,
        f"query ($id: ID!) {{ case(id: $id) {{ {_PLAIN} }} }}",
        f"query ($org: Int!, $uuid: UUID!) {{ case: caseAccessByOrganisationAndPairwise(organisation: $org, pairwise: $uuid) {{ {_TABLES} }} }}",
    ),
    "Q3": Question(
        "Q3 submitReferral; peer: a bare insert",
        Q3,
        "",
        """mutation ($org: Int!) { createPeerSubmission(input: {peerSubmission: {sender: $org, urgency: URGENT, discipline: WRITER,
  reason: "Asked us for help."}}) { peerSubmission { rowId status urgency submittedAt } } }""",
    ),
    "Q4": Question(
        "Q4 500 flat rows",
        Q4,
        f"{{ cases(first: 500) {{ {FLAT} }} }}",
        f"{{ cases: allCaseAccesses(first: 500, {_NEWEST}) {{ nodes {{ {FLAT.replace('id ', 'id: pairwise ')} }} }} }}",
    ),
    "Q1 identity": Question("Q1 with 50 identities opened", Q1_IDENTITY),
}

# As fast as the same JSON can be had of these tables: no row security, no gate, no audit, the restriction to the partner's rows alone.
BARE = """
select json_build_object('data', json_build_object('cases', json_build_object('edges', coalesce(json_agg(json_build_object('node', row_to_json(c))
  order by n), '[]'))))
from (
  select 'case_' || a.pairwise as id, a.reference, a.origin, a.risk_level as "riskLevel", a.status,
    r.j as referrals, s.j as residencies
  from (select * from case_access where organisation = $1 and coalesce(overview @> now(), false) order by opened_on desc, pairwise desc limit 50) a
  cross join lateral (select json_build_object('edges', coalesce(json_agg(json_build_object('node', row_to_json(r))), '[]')) as j from (
    select v.status, v.urgency, v.submitted_at as "submittedAt", json_build_object('name', o.name) as from
    from referral_access v join organisation o on o.id = v.sender
    where v.organisation = $1 and v.case_id = a.case_id and coalesce(v.visible @> now(), false) order by v.submitted_at desc, v.pairwise desc limit 5) r) r
  cross join lateral (select coalesce(json_agg(json_build_object('status', x.status, 'city', json_build_object('name', c.name, 'country', c.country))
    order by x.starts_on desc), '[]') as j from residency x join city c on c.id = x.city where x.case_id = a.case_id) s
  order by a.opened_on desc, a.pairwise desc
) c, lateral (select row_number() over () as n) n
"""
