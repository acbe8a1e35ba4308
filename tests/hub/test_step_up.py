"""What a person does through an app: the gate knows them, and for what is grave they have shown a passkey just now (RFC 9470)."""

import json
import uuid
from typing import Any

import pytest

from auth.client import Answer, HubClient
from hub.commands.execute import COMMANDS
from schema.fields import METADATA, Command
from schema.query import SCHEMA
from tests.hub.person import person
from tests.world import World

SCOPES = ["cases:read", "cases:write"]
SHARE = """
mutation ($case: ID!, $to: ID!, $key: String!) {
  shareCase(input: {case: $case, organisation: $to, categories: [OVERVIEW], reason: "r", idempotencyKey: $key}) {
    case { reference } problems { code }
  }
}
"""
READ = "{ cases { totalCount } }"


async def share(world: World, asker: HubClient, case: uuid.UUID) -> Answer:
    """Open a case to the PEN Centre, as somebody."""
    node = await world.data("desk", "{ cases { edges { node { id } } } organisations { edges { node { id code } } } }")
    (found,) = node["cases"]["edges"]
    (to,) = [edge["node"]["id"] for edge in node["organisations"]["edges"] if edge["node"]["code"] == "pen-centre"]
    del case
    return await asker.graphql(SHARE, {"case": found["node"]["id"], "to": to, "key": uuid.uuid4().hex})


async def test_opening_a_case_asks_for_a_passkey_shown_just_now(world: World) -> None:
    """Five minutes after signing in it is refused with what the app needs to ask for; nothing was shared; reading goes on."""
    case = await world.case()
    sara = await person(world, "sara", "desk", "icorn", SCOPES, signed_in=world.now - 301)
    answer = await share(world, sara, case)
    challenge = answer.headers["www-authenticate"]

    assert answer.status == 401
    assert challenge.startswith('DPoP error="insufficient_user_authentication", ')
    assert 'max_age="300"' in challenge
    assert await world.admin.fetchval("select count(*) from share") == 0
    assert json.loads((await sara.graphql(READ)).body)["data"]["cases"]["totalCount"] == 1


async def test_with_a_passkey_shown_just_now_it_is_done(world: World) -> None:
    """Up to the very second."""
    case = await world.case()
    sara = await person(world, "sara", "desk", "icorn", SCOPES, signed_in=world.now - 300)
    told = json.loads((await share(world, sara, case)).body)

    assert told["data"]["shareCase"]["problems"] == []
    assert await world.admin.fetchval("select count(*) from share") == 1


async def test_a_machine_is_not_asked(world: World) -> None:
    """It has nobody who could show a passkey: what it may do is its key's matter and its scopes'."""
    told = json.loads((await share(world, world.clients["desk"], await world.case())).body)

    assert told["data"]["shareCase"]["problems"] == []


async def test_being_asked_again_is_nobodys_failure(world: World) -> None:
    """Whoever signed in a while ago is no stranger: neither counted as one, nor charged."""
    case = await world.case()
    sara = await person(world, "sara", "desk", "icorn", SCOPES, signed_in=world.now - 301)
    await share(world, sara, case)

    assert not world.app.state.strangers.watching


def declared() -> dict[str, Any]:
    """Give the source of each mutation."""
    mutation = SCHEMA._schema.mutation_type  # noqa: SLF001 strawberry keeps graphql-core's schema there
    assert mutation is not None
    fields = {name: field.extensions["strawberry-definition"] for name, field in mutation.fields.items()}
    return {name: field.metadata[METADATA].source for name, field in fields.items()}


def test_who_gets_to_see_a_case_is_changed_by_nobody_who_is_not_there() -> None:
    """What opens a case, or cannot be undone, is marked, and whatever changes who may ask, or where events go; what closes one is not, for closing must not wait."""
    sources = declared()

    assert set(sources) == set(COMMANDS)
    assert {name for name, source in sources.items() if isinstance(source, Command) and source.fresh} == {
        "approveAgreement",
        "approveBreakGlass",
        "breakGlass",
        "createClient",
        "createFeed",
        "createOrganisation",
        "createWebhook",
        "disableClient",
        "disableUser",
        "eraseCase",
        "inviteUser",
        "mergeCases",
        "presentCase",
        "proposeAgreement",
        "setLegalHold",
        "shareCase",
        "updateClient",
        "updateFeed",
        "updateOrganisation",
        "updateUser",
    }


@pytest.mark.parametrize(
    "loss",
    [
        "update usr set status = 'DISABLED'",
        "update usr set scopes = '{cases:write}'",
        "update usr set organisation = (select id from organisation where code = 'pen-centre')",
        "update client set scopes = '{cases:write}' where client_id = 'desk'",
        "update client set status = 'DISABLED' where client_id = 'desk'",
        "update organisation set suspended_at = hub_now() where code = 'icorn'",
        "insert into revoked_token select repeat('a', 22), hub_now() + interval '1 hour'",
        "delete from usr",
    ],
)
async def test_the_gate_shuts_on_a_person_in_the_next_statement(world: World, loss: str) -> None:
    """User, client, organisation, and the approval that the token came from: each of them alone ends it."""
    sara = await person(world, "sara", "desk", "icorn", SCOPES)
    before = await sara.graphql(READ)
    await world.admin.execute(loss)
    after = await sara.graphql(READ)

    assert (before.status, after.status) == (200, 401)
    assert 'error="invalid_token"' in after.headers["www-authenticate"]


async def test_what_ended_one_approval_ends_no_other(world: World) -> None:
    """Nor a token whose own id only begins alike."""
    sara = await person(world, "sara", "desk", "icorn", SCOPES, token_id="b" * 22 + ".x")
    omar = await person(world, "omar", "desk", "icorn", SCOPES, token_id="bb" + "c" * 20 + ".y")
    await world.admin.execute(
        "insert into revoked_token values ('bb', 'infinity'), ($1, 'infinity')".replace("$1", f"'{'b' * 22}.z'")
    )

    assert [(await each.graphql(READ)).status for each in (sara, omar)] == [200, 200]
