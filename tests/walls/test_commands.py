"""What a command is given by id is there only within the token's scopes, with either wall alone."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from auth.scopes import NAMES
from tests.hub.commands.kit import OPERATIONS, feed_record
from tests.hub.person import person
from tests.walls.standing import EACH, Worlds
from tests.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("walls", EACH)]

START = "2026-05-01T00:00:00Z"
HOLD = {"held": True, "reason": "Asked"}
DENIAL = {"decision": "DENY", "recipients": {"everyPartner": True}, "categories": ["HEALTH"], "givenOn": "2026-05-01", "evidence": "Call"}  # fmt: skip
NOTHING = "case_00000000-0000-0000-0000-000000000000"
UNSEEN: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("cases:read", "shareCase", "case", {"organisation": "organisation_pen-centre", "categories": ["OVERVIEW"], "reason": "Asked"}),
    ("cases:read", "holdCase", "case", {"organisation": "organisation_pen-centre", **HOLD}),
    ("cases:read", "setLegalHold", "case", HOLD),
    ("cases:read", "eraseCase", "case", {"reason": "Asked", "confirmReference": "C-0000-0000-0000-0000"}),
    ("cases:read", "recordConsent", "case", {"consent": DENIAL}),
    ("cases:read", "withdrawConsent", "consent", {}),
    ("referrals:read", "recordConsent", "referral", {"consent": DENIAL}),
    ("referrals:read", "openCase", "referral", {"riskLevel": "LOW"}),
    ("referrals:read", "respondToReferral", "referral", {"response": "ACKNOWLEDGE"}),
    ("referrals:read", "withdrawReferral", "referral", {"reason": "Asked"}),
    ("referrals:read", "sendMessage", "referral", {"body": "Asked"}),
    ("feeds:read", "openCase", "feedRecord", {"riskLevel": "LOW"}),
    ("feeds:read", "updateFeed", "feed", {"paused": False}),
    ("feeds:read", "syncFeed", "feed", {}),
    ("cases:read", "updateCase", "case", {"expectedVersion": "0"}),
    ("cases:read", "sealCase", "case", {"sealed": True, "reason": "Asked"}),
    ("cases:read", "unshareCase", "case", {"organisation": "organisation_pen-centre", "reason": "Asked"}),
    ("cases:read", "unlinkRecords", "case", {"records": [], "reason": "Asked"}),
    ("cases:read", "mergeCases", "keep", {"merge": NOTHING, "reason": "Asked"}),
    ("cases:read", "mergeCases", "merge", {"keep": NOTHING, "reason": "Asked"}),
    ("cases:read", "presentCase", "case", {"cities": [], "categories": ["OVERVIEW"], "until": "2026-07-01T00:00:00Z"}),
    ("cases:read", "offerResidency", "case", {"city": "city_nowhere"}),
    ("presentations:read", "answerPresentation", "presentation", {"answer": "INVITE"}),
    ("residencies:read", "updateResidency", "residency", {"status": "COMPLETED"}),
    ("cases:whereabouts", "updateResidency", "residency", {"status": "COMPLETED"}),
)  # fmt: skip
"""A scope, and a mutation that names by id what only this scope shows."""


async def named(world: World) -> dict[str, str]:
    """Put one of everything in, and say how ICORN names it."""
    await world.admin.execute("truncate case_file, referral, feed cascade")
    case, referral = await world.case(), await world.referral("pen-centre")
    consent, record = await world.consent(case), await feed_record(world, "one")
    icorn, shown, stay = world.organisations["icorn"], uuid4(), uuid4()
    await world.insert("presentation", id=shown, case_id=case, organisation=world.organisations["arts-haven"], categories=["OVERVIEW"], status="OPEN", presented_at=START, until="2026-07-01T00:00:00Z")  # fmt: skip
    await world.insert("residency", id=stay, case_id=case, city=await world.admin.fetchval("select id from city"), status="OFFERED")  # fmt: skip

    async def pairwise(noun: str, row: UUID) -> str:
        return str(await world.admin.fetchval("select pairwise($1, $2, $3)", icorn, noun, row))

    child, stays = [await world.admin.fetchval("select child_name(pairwise($1, 'case', $2), $3)", icorn, case, row) for row in (consent, stay)]  # fmt: skip
    return {
        "case": f"case_{await pairwise('case', case)}",
        "referral": f"referral_{await pairwise('referral', referral)}",
        "consent": f"consent_{child}",
        "feedRecord": f"record_{record}",
        "feed": "feed_" + await world.admin.fetchval("select code from feed order by code limit 1"),
        **dict.fromkeys(("keep", "merge"), f"case_{await pairwise('case', case)}"),
        "presentation": f"presentation_{shown}",
        "residency": f"residency_{stays}",
    }


async def problems(world: World, client: str, mutation: str, given: dict[str, Any]) -> list[Any]:
    """Run a command, and ask for nothing back but its problems."""
    asked = f"mutation ($input: {OPERATIONS[mutation][0]}!) {{ {mutation}(input: $input) {{ problems {{ code message path }} }} }}"
    answer = await world.data(client, asked, {"input": {"idempotencyKey": str(uuid4()), **given}})
    found: list[Any] = answer[mutation]["problems"]
    return found


@pytest.mark.parametrize(("scope", "mutation", "field", "rest"), UNSEEN, ids=[f"{m}, {s}" for s, m, *_ in UNSEEN])
async def test_what_the_scopes_do_not_show_is_not_there_to_be_changed(
    worlds: Worlds, walls: str, scope: str, mutation: str, field: str, rest: dict[str, Any]
) -> None:
    """ICORN's own client without this one scope hears what it would hear of nothing, and with it finds what it named."""
    world = await worlds(walls)
    name = f"without-{scope.replace(':', '-')}"
    if name not in world.clients:
        await world.client(name, "icorn", sorted(NAMES - {scope}))
    known = await named(world)
    found = {"code": "NOT_FOUND", "message": "There is nothing with this id.", "path": ["input", field]}

    assert found in await problems(world, name, mutation, {field: known[field], **rest})
    assert found not in await problems(world, "desk", mutation, {field: known[field], **rest})


KEYS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "1"}]}
STAFF = {"email": "new@arts.example", "name": "New", "roles": ["PARTNER_STAFF"], "scopes": ["cases:read"]}
FOREIGN: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("updateClient", "client", "NOT_FOUND", {"name": "Renamed"}),
    ("updateClient", "client", "NOT_FOUND", {"jwks": KEYS}),
    ("disableClient", "client", "NOT_FOUND", {"reason": "Asked"}),
    ("updateUser", "user", "NOT_FOUND", {"name": "Renamed"}),
    ("disableUser", "user", "NOT_FOUND", {"reason": "Asked"}),
    ("createClient", "organisation", "NOT_ALLOWED", {"name": "New", "scopes": ["cases:read"], "jwks": KEYS}),
    ("inviteUser", "organisation", "NOT_ALLOWED", STAFF),
)
"""A mutation of who acts for an organisation, the field that names another's, what is heard of it, and the rest of the input."""


@pytest.mark.parametrize(
    ("mutation", "field", "code", "rest"), FOREIGN, ids=[f"{m} {' '.join(r)}" for m, _, _, r in FOREIGN]
)
async def test_who_acts_for_another_organisation_is_not_there_to_be_changed(
    worlds: Worlds, walls: str, mutation: str, field: str, code: str, rest: dict[str, Any]
) -> None:
    """A partner's client with every scope hears what it would hear of nothing, and sees none of them; ICORN's changes it."""
    world = await worlds(walls)
    if "pen" not in world.clients:
        await world.client("pen", "pen-centre")
        await world.client("theirs", "arts-haven", ["cases:read"])
        world.clients["bea"] = await person(world, "bea", "theirs", "arts-haven", ["cases:read"])
    user = await world.admin.fetchval("select id from usr order by id limit 1")
    await world.admin.execute(
        "update usr set status = 'ACTIVE'; update client set status = 'ACTIVE'; delete from usr where status = 'INVITED'"
    )
    names = {"client": "client_theirs", "user": f"user_{user}", "organisation": "organisation_arts-haven"}
    look = "query ($id: ID!) { node(id: $id) { id ... on Organisation { clients { id } users { id } } } }"
    seen = (await world.data("pen", look, {"id": names[field]}))["node"]
    heard = await problems(world, "pen", mutation, {field: names[field], **rest})

    assert seen in (None, {"id": names[field], "clients": [], "users": []})
    assert [(each["code"], each["path"]) for each in heard] == [(code, ["input", field])]
    assert await problems(world, "desk", mutation, {field: names[field], **rest}) == []


async def test_anothers_webhook_is_there_neither_to_be_read_nor_changed(worlds: Worlds, walls: str) -> None:
    """ICORN with every scope hears of the PEN Centre's webhook what it would hear of nothing."""
    world = await worlds(walls)
    webhook = uuid4()
    await world.insert("webhook", id=webhook, organisation=world.organisations["pen-centre"], url="https://a.example/", events=[], purpose="AUDIT", created_at="2026-05-01T00:00:00Z", paused_at="2026-05-05T00:00:00Z")  # fmt: skip
    theirs = '{ organisation(code: "pen-centre") { webhooks { id } } node(id: "webhook_%s") { id } }' % webhook  # noqa: UP031 braces are GraphQL's

    assert await world.data("desk", theirs) == {"organisation": {"webhooks": []}, "node": None}
    for mutation in ("resumeWebhook", "deleteWebhook"):
        (found,) = await problems(world, "desk", mutation, {"webhook": f"webhook_{webhook}"})
        assert found == {"code": "NOT_FOUND", "message": "There is nothing with this id.", "path": ["input", "webhook"]}
    assert await world.admin.fetchval("select paused_at is not null from webhook where id = $1", webhook)
