"""Each feature of GraphQL in one readable operation, answered as graphql-core's own executor answers it."""

from typing import Any

import pytest

from tests.differential.compare import Pair
from tests.population import CLIENTS

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = "a" * 64
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "changes": ("{ changes(first: 5) { changes { kind subject type at } endCursor hasNextPage } more: changes { changes { subject } hasNextPage } }", {}),
    "viewer": ("{ viewer { clientId clientName userName scopes purpose expiresAt organisation { id city { name } } agreements { id status purpose categories origins disciplines validFrom validUntil approvals { by at organisation { code } } organisation { code } } } }", {}),
    "a case with everything": ("""{ cases { totalCount edges { cursor node { id reference status discipline origin riskLevel openedOn updatedAt version withheld
        profile { biography languages website works { title year kind } } identity { givenName familyName pseudonyms bornOn gender nationalities }
        contact { channels { kind address safe } instructions mayContactDirectly } whereabouts { country city address asOf inHiding }
        threat { summary sources incidents { happenedOn kind description } } health { needs disability } family { members { relation name bornOn relocating } }
        assessment { recommendation notes assessedBy assessedOn } disclosure { category visible basis missing }
        residencies { id status startsOn endsOn city { code } case { id } }
        consents { id decision categories givenOn validUntil withdrawnAt evidence organisation { code } case { reference } }
        referrals { totalCount edges { node { id } } } feedRecords { state feed { code } records { id } hasNextPage } } } } }""", {}),
    "a referral with everything": ("""{ referrals { totalCount edges { node { id reference clientReference from { code } to { code } status urgency discipline origin submittedAt updatedAt
        reason sharedCategories declineReason case { id } person { withheld profile { biography } identity { familyName } contact { mayContactDirectly } threat { summary }
        whereabouts { city } health { needs } family { members { relation } } } consents { id evidence case { id } }
        events { totalCount edges { cursor node { id kind status at note by { name } referral { id } } } pageInfo { endCursor hasNextPage } }
        messages { edges { node { id from { code } body at } } pageInfo { startCursor } } } } } }""", {}),
    "feeds and their records": ("""{ feeds { id code kind state lastSyncedAt lag recordCount lastProblem paused organisation { code } }
        feedRecords(first: 2) { state fetchedAt endCursor hasNextPage feed { code } records { id sourceId sourceUrl discipline origin riskLevel urgency submittedAt updatedAt
        feed { code state } case { id } person { withheld profile { languages works { title } } identity { pseudonyms } } } } }""", {}),
    "presentations": ("{ presentations { totalCount edges { node { id status categories until answeredAt note city { code } case { id presentations { id status note } } } } } presentations_open: presentations(status: [OPEN, EXPIRED]) { totalCount } }", {}),
    "public data": ("{ cities { totalCount edges { node { id code name country memberSince latitude longitude vacancies residencies { edges { node { id } } totalCount } } } } organisations { edges { node { id kind website city { id } } } } }", {}),
    "aliases, also of lists and parents": ("{ one: cities(first: 1) { a: edges { b: node { c: code d: code } e: cursor } f: pageInfo { g: hasNextPage } } two: cities(last: 1) { edges { node { code } } } }", {}),
    "aliases longer than Postgres allows": (f"{{ {LONG}1: viewer {{ {LONG}2: clientId {LONG}3: scopes }} cases(first: 2) {{ {LONG}4: pageInfo {{ {LONG}5: hasNextPage {LONG}6: endCursor }} {LONG}7: edges {{ {LONG}8: node {{ {LONG}9: reference {LONG}a: identity {{ {LONG}b: familyName }} }} }} {LONG}c: totalCount }} }}", {}),
    "the same field twice, merged": ("{ viewer { organisation { id } } viewer { organisation { name } clientId } cases(first: 2) { edges { node { id } } } cases(first: 2) { edges { node { status id } cursor } totalCount } }", {}),
    "the same list under two aliases": ("{ cases(first: 2) { a: edges { x: node { id } y: node { reference referrals { totalCount edges { node { id } } } } } b: edges { cursor } p: pageInfo { hasNextPage } q: pageInfo { endCursor } } }", {}),
    "fragments in fragments": ("query { cases(first: 3) { ...C } } fragment C on CaseConnection { edges { ...E } } fragment E on CaseEdge { node { ...N ...M } } fragment N on Node { id __typename } fragment M on Case { status ...N identity { ...I } } fragment I on Identity { familyName pseudonyms }", {}),
    "inline fragments on the interface": ('{ organisation(code: "icorn") { ... on Node { id ... on Organisation { name } ... on City { vacancies } } ... { kind } ... @include(if: true) { code } } }', {}),
    "typename everywhere": ("{ __typename viewer { __typename organisation { __typename } } cases(first: 1) { __typename edges { __typename node { __typename profile { __typename works { __typename t: __typename } } disclosure { __typename } } } pageInfo { __typename } } feedRecords { __typename feed { __typename } records { __typename person { __typename } } } }", {}),
    "skip and include": ("query ($yes: Boolean!, $no: Boolean = false) { a: viewer @skip(if: $no) { clientId @include(if: $yes) clientName @include(if: $no) } b: viewer @skip(if: $yes) { clientId } ...F @include(if: $yes) ...F @skip(if: $yes) } fragment F on Query { c: cities(first: 1) { totalCount @skip(if: true) @include(if: true) } ... on Query @include(if: $no) { d: __typename } }", {"yes": True}),
    "a selection of which nothing is left": ('{ viewer { clientId @skip(if: true) } cases(first: 1) { edges { node { id @skip(if: true) } } pageInfo { endCursor @include(if: false) } } city(code: "bergen") { residencies { edges { cursor @skip(if: true) } } } feedRecords { code: state @skip(if: true) } }', {}),
    "who acts for whom": ("{ organisations { edges { node { code clients { __typename id clientId name scopes status jwks createdAt lastUsedAt } users { id email } } } } }", {}),
    "nothing at all": ("{ viewer @skip(if: true) { clientId } }", {}),
    "variables with defaults": ("query ($n: Int = 2, $o: [CaseOrder!] = [{field: RISK_LEVEL, direction: ASC}], $f: CaseFilter = {status: [CANDIDATE, INVITED]}) { cases(first: $n, orderBy: $o, filter: $f) { edges { node { status riskLevel } } } }", {}),
    "null variables": ("query ($n: Int = 2, $f: CaseFilter, $s: [CaseStatus!], $a: String) { cases(first: $n, filter: $f, after: $a) { edges { node { id } } } b: cases(filter: {status: $s, origin: null}) { totalCount } }", {"n": None, "f": None, "s": None, "a": None}),
    "variables that are not given": ("query ($n: Int, $s: [CaseStatus!], $d: Date) { cases(first: $n, filter: {status: $s, openedFrom: $d}) { totalCount edges { node { status } } } }", {}),
    "a variable inside a list and an object": ('query ($s: CaseStatus!, $f: CaseOrderField!, $c: CountryCode!) { cases(filter: {status: [$s, INVITED], origin: [$c, "TR"]}, orderBy: [{field: $f, direction: DESC}, {field: OPENED_ON, direction: ASC}]) { edges { node { status origin updatedAt } } } }', {"s": "CANDIDATE", "f": "UPDATED_AT", "c": "IR"}),
    "one value where a list is wanted": ('query ($s: [CaseStatus!]) { cases(filter: {status: $s, origin: "IR", discipline: WRITER}) { totalCount } }', {"s": "CANDIDATE"}),
    "filters that match nothing": ('{ a: cases(filter: {status: []}) { totalCount edges { node { id } } pageInfo { hasNextPage startCursor } } b: cities(filter: {name: "", withVacancy: true}) { totalCount } c: cities(filter: {name: "KRAK"}) { totalCount edges { node { name } } } d: cities(filter: {name: "%"}) { totalCount } }', {}),
    "filters of cases": ('{ a: cases(filter: {familyName: "  öztürk-ÅLESUND "}) { totalCount } b: cases(filter: {referredBy: "organisation_pen-centre"}) { totalCount } c: cases(filter: {referredBy: "city_bergen"}) { totalCount } d: cases(filter: {riskLevel: [LOW, EXTREME], openedFrom: "2026-01-01", openedTo: "2026-02-01"}) { edges { node { openedOn } } } }', {}),
    "filters of referrals": ('{ a: referrals(filter: {from: "organisation_pen-centre", status: [SUBMITTED]}, orderBy: [{field: URGENCY, direction: DESC}]) { edges { node { urgency } } } b: referrals(filter: {to: "organisation_arts-haven", submittedFrom: "2026-03-02T01:00:00+01:00", submittedTo: "2026-03-05T00:00:00Z"}) { totalCount } c: referrals(filter: {from: "nobody"}) { totalCount } }', {}),
    "nodes of every kind, and of none": ('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on City { code } ... on Organisation { code } ... on Feed { state } ... on Node { x: id } } none: nodes(ids: []) { id } one: nodes(ids: "city_bergen") { id } }',
        {"ids": ["city_bergen", "organisation_icorn", "feed_haven", "city_", "city", "", "_", "City_bergen", "city_nowhere", "case_x", "case_00000000-0000-0000-0000-000000000000", "7", "city_bergen", "feed_bergen"]}),
    "entities of every kind, and of none": ("query ($r: [_Any!]!) { _entities(representations: $r) { __typename ...O ... on City { code } ... on Feed { state } ... on Node { x: id } } none: _entities(representations: []) { __typename } } fragment O on Organisation { name }",
        {"r": [{"__typename": "City", "id": "city_bergen", "name": "Elsewhere"}, {"__typename": "Organisation", "id": "city_bergen"}, {"__typename": "Feed", "id": "feed_haven"}, {"__typename": "City"}, {"id": "city_bergen"}, {"__typename": "City", "id": 7},
               {"__typename": "Nothing", "id": "city_bergen"}, {"__typename": "Viewer", "id": "viewer_x"}, {"__typename": ["City"], "id": {"a": "b"}}, {"__typename": "City", "id": "city_nowhere"}, {"__typename": "Organisation", "id": "organisation_icorn"}, {"__typename": "Case", "id": "case_x"}, {}]}),
    "entities by variables inside literals": ('query ($t: String!, $i: String!, $j: ID!) { a: _entities(representations: [{__typename: $t, id: $i}, {__typename: "City", id: $j}]) { ... on City { code } } b: _entities(representations: {__typename: "City", id: "city_krakow"}) { ... on City { code } } }', {"t": "City", "i": "city_bergen", "j": "city_harbour"}),
    "the subgraph beside data": ("{ _service { sdl t: __typename } viewer { clientId } s: _service { sdl } }", {}),
    "two kinds of ids for one type": ('{ nodes(ids: ["consent_x", "agreed_x"]) { ... on Consent { case { id } organisation { code } } } }', {}),
    "node": ('query ($i: ID!) { node(id: $i) { ... on City { name } id } a: node(id: 7) { id } b: node(id: "case_1") { id } c: node(id: "city_BERGEN") { id } }', {"i": "city_bergen"}),
    "introspection beside data": ('query ($t: String!) { __schema { queryType { ...T } mutationType { name } directives { name args { name } } } viewer { clientId } t: __type(name: $t) { ...T fields { name isDeprecated type { kind ofType { name } } } } none: __type(name: "Nothing") { name } ...Q } fragment T on __Type { name kind } fragment Q on Query { __schema { types { name } } }', {"t": "Case"}),
    "text that Postgres cannot hold": ('{ city(code: "a\\u0000b") { id } cities(filter: {name: "\\u0000"}) { totalCount } node(id: "city_\\u0000") { id } nodes(ids: ["city_a\\u0000", "city_bergen"]) { id } }', {}),
    "deep and wide": ("{ viewer { organisation { id } } cases(first: 5) { edges { node { residencies { city { residencies { edges { node { case { referrals { edges { node { case { id } } } } } } } } } } } } } }", {}),
    "last alone, and first nought": ("{ a: cities(last: 2) { edges { node { code } } pageInfo { hasNextPage hasPreviousPage } } b: cities(first: 0) { edges { node { code } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } c: cities(last: 0) { edges { cursor } pageInfo { hasPreviousPage } } }", {}),
    "feeds within feeds": ('{ feedRecords { records { id case { feedRecords { state records { id case { id feedRecords(maxAge: "PT72H") { state } } } } } } } }', {}),
    "the records of feeds under two names": ("{ feedRecords { a: records { id } b: records { person { withheld } case { id } } a: records { sourceId } c: endCursor d: endCursor } }", {}),
    "retractions": ("""query ($a: Boolean = false) { all: retractions { totalCount edges { cursor node { id organisation { code } subject categories at acknowledgedAt note } } pageInfo { hasNextPage endCursor } }
        a: retractions(acknowledged: $a) { totalCount } b: retractions(acknowledged: true, first: 1) { edges { node { __typename ... on Node { id } } } } c: retractions(acknowledged: null) { totalCount } }""", {}),
    "broken glass": ("{ cases { edges { node { emergencies { organisation { code } categories waits askedAt approvedAt until reason } disclosure { category basis visible } } } } }", {}),
    "statistics": ("""query ($g: [CaseDimension!]!, $d: Date) { a: statistics(groupBy: $g) { asOf smallestCell cells { origin discipline status riskLevel year count } }
        b: statistics(groupBy: []) { cells { count origin __typename } } c: statistics(groupBy: YEAR, filter: {from: $d, to: "2026-05-01"}) { y: cells { year count } }
        d: statistics(groupBy: [], filter: {from: "2025-12-31", to: null}) { cells { year count } } e: statistics(groupBy: [], filter: {origin: ["TR", "IR", "XX"]}) { cells { origin count } }
        f: statistics(groupBy: ORIGIN, filter: {origin: "IR"}) { cells { origin count } } g: statistics(groupBy: [ORIGIN, YEAR]) { cells { count } }
        h: statistics(groupBy: DISCIPLINE, filter: {from: $d}) { cells { discipline count } } i: statistics(groupBy: STATUS, filter: {origin: []}) { cells { count } }
        j: statistics(groupBy: [], filter: {from: "2027-01-01"}) { cells { count } } k: statistics(groupBy: DISCIPLINE, filter: {origin: null}) { cells { discipline count } } }""", {"g": ["STATUS"], "d": "2026-05-01"}),
    "feeds by age": ('{ a: feedRecords(maxAge: "PT72H", filter: {feeds: ["haven", "northlight", "nothing"]}) { state feed { code } fetchedAt } b: feedRecords(filter: {origin: ["TR"], discipline: WRITER, updatedSince: "2026-05-01T00:00:00Z"}) { records { origin } } c: feedRecords(filter: {feeds: []}) { state } }', {}),
}  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_is_answered_as_plain_resolvers_answer_it(both: Pair, name: str, client: str) -> None:
    """For each client: the same JSON, keys in the same order, and one error for each field its scopes deny."""
    query, variables = OPERATIONS[name]

    await both.compare(client, query, variables)


@pytest.mark.parametrize("name", ["First", "Second"])
async def test_of_several_operations_the_named_one_is_run(both: Pair, name: str) -> None:
    """Each with variables of its own; they share their fragments."""
    query = """query First($n: Int) { cities(first: $n) { ...C } } query Second($f: CityFilter = {withVacancy: true}) { x: cities(filter: $f) { ...C } }
      fragment C on CityConnection { edges { node { code } } }"""

    data = await both.compare("pen", query, {}, name)

    assert list(data) == [{"First": "cities", "Second": "x"}[name]]


@pytest.mark.parametrize("order", ["OPENED_ON", "UPDATED_AT", "RISK_LEVEL"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(("size", "cursor", "end", "more"), [("first", "after", "endCursor", "hasNextPage"), ("last", "before", "startCursor", "hasPreviousPage")])  # fmt: skip
async def test_following_cursors_walks_the_whole_list_once(
    both: Pair, order: str, direction: str, size: str, cursor: str, end: str, more: str
) -> None:
    """In every order and from either end: each page as plain resolvers give it, and together the list."""
    query = f"""query ($c: String, $o: [CaseOrder!], $all: Int!) {{
      page: cases({size}: 3, {cursor}: $c, orderBy: $o) {{ edges {{ node {{ id }} }} pageInfo {{ {end} {more} }} }}
      whole: cases(first: $all, orderBy: $o) {{ edges {{ node {{ id }} }} }} }}"""
    variables: dict[str, Any] = {"o": [{"field": order, "direction": direction}], "all": 500}
    seen: list[Any] = []

    while True:
        data = await both.compare("desk", query, variables)
        page = data["page"]["edges"]
        seen = [*seen, *page] if size == "first" else [*page, *seen]
        if not data["page"]["pageInfo"][more]:
            break
        variables["c"] = data["page"]["pageInfo"][end]

    assert seen == data["whole"]["edges"]
    assert len(seen) == 12
