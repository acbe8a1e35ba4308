"""This module has an example of every mutation: who sends it, and an input with which it does something. A new mutation needs one line."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

from auth.limits import Limits
from tests.hub.commands.kit import (
    AGREED,
    case_id,
    city_office,
    consent,
    consent_id,
    done,
    feed_record,
    reference,
    referral,
    referral_id,
)
from tests.hub.commands.life import referred
from tests.hub.commands.test_clients import wanted as client_wanted
from tests.hub.commands.test_organisations import NEW
from tests.hub.commands.test_update_case import version
from tests.hub.commands.test_users import wanted as user_wanted
from tests.hub.person import person
from tests.world import EVERY_SCOPE, World

Given = dict[str, Any]
Example = tuple[str, Callable[[World], Awaitable[Given]]]


async def _referral(_: World) -> Given:
    return referral(clientReference=str(uuid4()), linkage={"algorithm": "a", "bits": "b"})


async def _received(world: World) -> Given:
    return {"referral": await referral_id(world, await referred(world), "arts-haven")}


async def _sent(world: World) -> Given:
    return {"referral": await referral_id(world, await referred(world), "pen-centre")}


async def _of_case(world: World) -> Given:
    return {"case": await case_id(world, await world.case())}


async def _case(world: World) -> Given:
    return {**await _of_case(world), "reason": "r"}


async def _record(world: World) -> Given:
    return {**await _case(world), "records": [f"record_{await feed_record(world, str(uuid4()))}"]}


async def _erased(world: World) -> Given:
    case = await world.case()
    return {"case": await case_id(world, case), "reason": "r", "confirmReference": await reference(world, case)}


async def _consent(world: World) -> Given:
    case = await world.case()
    return {"consent": await consent_id(world, case, await world.consent(case)), "reason": "r"}


async def _retraction(world: World) -> Given:
    made, pen = uuid4(), world.organisations["pen-centre"]
    await world.insert("retraction", id=made, organisation=pen, kind="case", subject=uuid4(), categories=["OVERVIEW"], at="2026-05-01T00:00:00Z")  # fmt: skip
    return {"retraction": f"retraction_{made}", "deleted": True, "note": "Done"}


async def _glass(world: World) -> Given:
    case, pen = await world.case(), world.organisations["pen-centre"]
    await world.insert("share", id=uuid4(), case_id=case, organisation=pen, categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    await world.consent(case)
    return {"case": await case_id(world, case, "pen-centre"), "categories": ["PROFILE"], "reason": "r"}


async def _waiting(world: World) -> Given:
    case, pen = await world.case(sealed="true"), world.organisations["pen-centre"]
    await world.insert("emergency", id=uuid4(), case_id=case, organisation=pen, categories=["PROFILE"], asked_at="2026-06-01T12:00:00Z", client="pen")  # fmt: skip
    return {"case": await case_id(world, case)}


async def _versioned(world: World) -> Given:
    given = await _of_case(world)
    return {**given, "expectedVersion": await version(world, given["case"])}


async def _shared(world: World) -> Given:
    case, pen = await world.case(), world.organisations["pen-centre"]
    await world.insert("share", id=uuid4(), case_id=case, organisation=pen, categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    return {"case": await case_id(world, case), "organisation": PEN, "reason": "r"}


async def _two(world: World) -> Given:
    return {"keep": await case_id(world, await world.case()), "merge": await case_id(world, await world.case()), "reason": "r"}  # fmt: skip


async def _linked(world: World) -> Given:
    given = await _record(world)
    await done(world, "desk", "linkRecords", given)
    return given


async def _city(world: World) -> Given:
    if "bergen" not in world.clients:
        await city_office(world)
    return {"city": "city_bergen"}


async def _vacant(world: World) -> Given:
    given = {**await _city(world), "vacancies": 2}
    await done(world, "bergen", "publishVacancies", {**given, "vacancies": 1})
    return given


async def _to_show(world: World) -> Given:
    case, city = await world.case(), await _city(world)
    await world.consent(case)
    return {"case": await case_id(world, case), "cities": [city["city"]], "categories": ["OVERVIEW"], "until": "2026-07-01T00:00:00Z"}  # fmt: skip


async def _shown(world: World) -> Given:
    given = await _to_show(world)
    await done(world, "desk", "presentCase", given)
    asked = "query ($id: ID!) { case(by: {id: $id}) { presentations { id } } }"
    row = await world.admin.fetchval("select id from case_file where pairwise($1, 'case', id)::text = $2", world.organisations["icorn"], given["case"].partition("_")[2])  # fmt: skip
    seen = await world.data("bergen", asked, {"id": await case_id(world, row, "bergen-office")})
    return {"presentation": seen["case"]["presentations"][0]["id"], "answer": "INVITE"}


async def _invited(world: World) -> Given:
    return {"case": await case_id(world, await world.case(status="INVITED")), **await _city(world)}


async def _offered(world: World) -> Given:
    return {"residency": (await done(world, "desk", "offerResidency", await _invited(world)))["id"], "status": "ACCEPTED"}  # fmt: skip


async def _organisation(_: World) -> Given:
    name = f"house-{uuid4().hex[:12]}"
    return {**NEW, "code": name, "firstAdminEmail": f"admin@{name}.example"}


async def _client(world: World) -> Given:
    return {"client": (await done(world, "pen", "createClient", client_wanted()))["id"]}


async def _colleague(world: World) -> Given:
    if "sara" not in world.clients:
        limits = Limits(concurrency=100)
        world.clients["sara"] = await person(
            world, "sara", "pen", "pen-centre", EVERY_SCOPE, role="ADMIN", limits=limits
        )
    return user_wanted(email=f"{uuid4().hex}@pen.example")


async def _user(world: World) -> Given:
    return {"user": (await done(world, "sara", "inviteUser", await _colleague(world)))["id"]}


async def _wanted_client(_: World) -> Given:
    return client_wanted()


def _with(given: Callable[[World], Awaitable[Given]], **more: Any) -> Callable[[World], Awaitable[Given]]:
    async def both(world: World) -> Given:
        return {**await given(world), **more}

    return both


async def _nothing(_: World) -> Given:
    return {}


PEN: Final = "organisation_pen-centre"
EXAMPLES: Final[dict[str, Example]] = {
    "submitReferral": ("pen", _referral),
    "respondToReferral": ("arts", _with(_received, response="ACKNOWLEDGE", note="n")),
    "withdrawReferral": ("pen", _with(_sent, reason="r")),
    "sendMessage": ("pen", _with(_sent, body="b")),
    "openCase": ("desk", _with(_nothing, discipline="WRITER", riskLevel="LOW")),
    "shareCase": ("desk", _with(_case, organisation=PEN, categories=AGREED, until="2026-07-01T00:00:00Z")),
    "updateCase": ("desk", _with(_versioned, riskLevel="EXTREME")),
    "sealCase": ("desk", _with(_case, sealed=True)),
    "unshareCase": ("desk", _shared),
    "mergeCases": ("desk", _two),
    "unlinkRecords": ("desk", _linked),
    "presentCase": ("desk", _to_show),
    "answerPresentation": ("bergen", _shown),
    "offerResidency": ("desk", _invited),
    "updateResidency": ("desk", _offered),
    "publishVacancies": ("bergen", _vacant),
    "createOrganisation": ("desk", _organisation),
    "updateOrganisation": ("desk", _with(_nothing, organisation="organisation_arts-haven", name="Arts Haven")),
    "createClient": ("pen", _wanted_client),
    "updateClient": ("pen", _with(_client, name="Another")),
    "disableClient": ("pen", _with(_client, reason="r")),
    "inviteUser": ("sara", _colleague),
    "updateUser": ("sara", _with(_user, name="Another")),
    "disableUser": ("sara", _with(_user, reason="r")),
    "holdCase": ("desk", _with(_case, organisation=PEN, held=True)),
    "linkRecords": ("desk", _record),
    "setLegalHold": ("desk", _with(_case, held=True)),
    "eraseCase": ("desk", _erased),
    "recordConsent": ("desk", _with(_of_case, consent=consent())),
    "withdrawConsent": ("desk", _consent),
    "acknowledgeRetraction": ("pen", _retraction),
    "breakGlass": ("pen", _glass),
    "approveBreakGlass": ("desk", _waiting),
}


async def example(world: World, name: str) -> tuple[str, Given]:
    """Give a client and an input with which a mutation does something, each time something of its own."""
    client, given = EXAMPLES[name]
    return client, {"idempotencyKey": str(uuid4()), **await given(world)}
