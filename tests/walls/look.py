"""Looks at one case through every door the schema has, as one client, and says how that differs from what should be seen."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from auth.client import HubClient, over_httpx
from tests.walls.situations import ALL, CATEGORIES, Situation
from tests.world import PERSON, World

PERSONAL: Final = CATEGORIES[1:]
PART: Final = {
    "PROFILE": "biography", "IDENTITY": "familyName", "CONTACT": "mayContactDirectly", "WHEREABOUTS": "city",
    "THREAT": "summary", "HEALTH": "needs", "FAMILY": "members { relation }", "ASSESSMENT": "notes",
}  # fmt: skip
ORDERS: Final = [(f, d) for f in ("OPENED_ON", "UPDATED_AT", "RISK_LEVEL") for d in ("ASC", "DESC")]
FILTERS: Final = {
    "status": "{status: [CANDIDATE]}",
    "discipline": "{discipline: [WRITER]}",
    "riskLevel": "{riskLevel: [HIGH]}",
    "opened": '{openedFrom: "2026-01-15", openedTo: "2026-01-15"}',
    "nothing": "{}",
    "familyName": '{familyName: "farahani"}',
    "referredBy": '{referredBy: "organisation_pen-centre"}',
}
DOCUMENTS: Final = {**PERSON, "ASSESSMENT": {"notes": "Invite."}}


def operation(scopes: Iterable[str]) -> str:
    """Write an operation that reaches for the case by every way in, and asks for all that the scopes open."""
    open_to = set(scopes)
    personal = " ".join(f"{k.lower()} {{ {PART[k]} }}" for k in PERSONAL if f"cases:{k.lower()}" in open_to)
    page = "{ totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
    residencies = "residencies { id city { code } }" if "residencies:read" in open_to else ""
    filters = " ".join(f"filter_{name}: cases(filter: {text}) {page}" for name, text in FILTERS.items())
    orders = " ".join(f"order_{f}_{d}: cases(orderBy: [{{field: {f}, direction: {d}}}]) {page}" for f, d in ORDERS)
    return f"""
    query Look($id: ID!, $reference: String!, $other: ID!) {{
      node(id: $id) {{ __typename ...Whole }}
      nodes(ids: [$id, $other]) {{ __typename id ...Whole }}
      case(by: {{id: $id}}) {{ ...Whole }}
      by_reference: case(by: {{reference: $reference}}) {{ ...Whole }}
      last: cases(last: 1) {page} {filters} {orders}
    }}
    fragment Whole on Case {{ id status origin riskLevel withheld {personal} {residencies}
      disclosure {{ category visible basis missing }} }}
    """


async def names(world: World, organisation: str, case: UUID) -> dict[str, str]:
    """Say how an organisation knows a case, or would."""
    name = await world.admin.fetchrow(
        "select p::text as id, spoken('C-', p) as reference from pairwise($1, 'case', $2) p",
        world.organisations[organisation],
        case,
    )
    return {"id": f"case_{name['id']}", "reference": name["reference"]}


def expected(given: Situation) -> dict[str, Any]:
    """Derive from a verdict what each category and its rule must look like."""
    seen: dict[str, Any] = {"withheld": [], "visible": {}, "basis": {}, "missing": {}}
    for category in CATEGORIES:
        scope = f"cases:{'read' if category == 'OVERVIEW' else category.lower()}" in given.scopes
        basis = [name for name, categories in given.bases.items() if category in categories]
        lacks = [] if category in given.opens else ["CONSENT" if basis else "BASIS"]
        seen["visible"][category] = scope and not lacks
        seen["basis"][category] = basis
        seen["missing"][category] = ([] if scope else ["SCOPE"]) + lacks
        if category != "OVERVIEW" and (lacks or not scope):
            seen["withheld"].append(category)
    return seen


async def differences(world: World, client: str, organisation: str, case: UUID, given: Situation) -> list[str]:
    """Look at a case; say what is other than the verdict, [] when nothing is."""
    name = await names(world, organisation, case)
    # A type's name inside fragments of the node interface needs the case's own scope, as every edge into it does.
    answer = await world.ask(client, operation(given.scopes), {**name, "other": f"organisation_{organisation}"})
    data, found = answer.get("data"), []
    if "cases:read" not in given.scopes:
        shown = [key for key, value in (data or {}).items() if value not in (None, [None, _organisation(organisation)])]
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        return [f"{key} is there" for key in shown] + ([] if codes == {"UNAUTHORIZED_FIELD_OR_TYPE"} else [str(codes)])
    if "errors" in answer:
        return [f"errors: {answer['errors']}"]
    visible = "OVERVIEW" in given.opens
    for key in ("node", "case", "by_reference"):
        found += _whole(key, data[key], name["id"], given, visible=visible)
    found += _whole("nodes", data["nodes"][0], name["id"], given, visible=visible)
    if data["nodes"][1] != _organisation(organisation):
        found.append("nodes: what is public is not there")
    for key, page in data.items():
        if not key.startswith(("filter_", "order_", "last")):
            continue
        there = visible
        if key == "filter_familyName":
            there = visible and "IDENTITY" in given.opens and "cases:identity" in given.scopes
        if key == "filter_referredBy":
            there = visible and given.referred and "referrals:read" in given.scopes
        found += _page(key, page, name["id"] if there else None)
    return found


def _organisation(code: str) -> dict[str, str]:
    return {"__typename": "Organisation", "id": f"organisation_{code}"}


def _whole(key: str, shown: Any, identifier: str, given: Situation, *, visible: bool) -> list[str]:
    if not visible:
        return [] if shown is None else [f"{key}: a hidden case is there"]
    if shown is None:
        return [f"{key}: the case is not there"]
    want, rules = expected(given), {rule["category"]: rule for rule in shown["disclosure"]}
    found = [] if shown["id"] == identifier else [f"{key}: another case"]
    if shown["withheld"] != want["withheld"]:
        found.append(f"{key}: withheld {shown['withheld']}, not {want['withheld']}")
    for part in ("visible", "basis", "missing"):
        got = {category: rules[category][part] for category in CATEGORIES}
        if got != want[part]:
            found.append(f"{key}: {part} is {got}, not {want[part]}")
    for category in PERSONAL:
        if category.lower() in shown:
            found += _category(key, category, shown[category.lower()], there=want["visible"][category])
    stays = want["visible"]["WHEREABOUTS"]
    if "residencies" in shown and bool(shown["residencies"]) != stays:
        found.append(f"{key}: residencies {'hidden' if stays else 'shown'}")
    return found


def _category(key: str, category: str, shown: Any, *, there: bool) -> list[str]:
    if (shown is not None) != there:
        return [f"{key}: {category} is {'hidden' if there else 'shown'}"]
    part = PART[category].partition(" ")[0]
    if there and part != "members" and shown[part] != DOCUMENTS[category][part]:
        return [f"{key}: {category} says something else"]
    return []


def _page(key: str, page: Mapping[str, Any], identifier: str | None) -> list[str]:
    ids = [edge["node"]["id"] for edge in page["edges"]]
    want = [identifier] if identifier else []
    found = [] if (ids, page["totalCount"]) == (want, len(want)) else [f"{key}: {ids}, counted {page['totalCount']}"]
    info = page["pageInfo"]
    if info["hasNextPage"] or info["hasPreviousPage"] or (info["startCursor"] is not None) != bool(want):
        found.append(f"{key}: {info}")
    return found


async def arrange(world: World, given: Situation) -> tuple[UUID, str]:
    """Bring a situation about in a world that may have seen others; return the case and the name of the partner's client."""
    await world.admin.execute("delete from frozen; delete from case_file; delete from agreement; delete from referral")
    # What a client holds is of the time it was given, and here time goes back too.
    await world.set_now(given.at)
    for name, client in list(world.clients.items()):
        world.clients[name] = HubClient(client.credentials, over_httpx(world.http), clock=lambda: world.now)
    pen = f"pen-{sha256(' '.join(given.scopes).encode()).hexdigest()[:8]}"
    if pen not in world.clients:
        await world.client(pen, "pen-centre", list(given.scopes))
    case = await world.case(documents=DOCUMENTS, **given.case)
    city = await world.admin.fetchval("select id from city")
    await world.insert("residency", id=UUID(int=1), case_id=case, city=city, status="ACTIVE", starts_on="2026-04-01")
    for step in given.steps:
        await step(world, case)
    return case, pen


def icorn(given: Situation) -> Situation:
    """Give the verdict on ICORN itself: it sees every case, consent or none, and what it was sent on that ground too."""
    bases = {"ICORN": CATEGORIES, **({"RECIPIENT": ALL} if given.received else {})}
    return Situation("ICORN itself", [], CATEGORIES, bases, referred=given.referred)
