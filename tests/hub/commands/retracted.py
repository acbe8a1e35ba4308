"""What tests of retractions share: a case opened to a partner, what it is told to delete, and the worker's turn."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub.audit.head import HeadKeys
from hub.audit.sequence import Sequencer
from hub.postgres import open_pool
from tests.hub.commands.kit import case_id, consent_id, done
from tests.world import KEYRING, World

LOOK = "query ($id: ID!) { case(by: {id: $id}) { id } }"
READ = "query ($id: ID!) { case(by: {id: $id}) { id profile { biography } identity { familyName } } }"
OWED = "{ retractions { totalCount edges { node { id organisation { code } subject categories at acknowledgedAt note } } } }"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def owed(world: World, client: str = "pen", arguments: str = "") -> list[dict[str, Any]]:
    """Give the retractions that a client is told of."""
    data = await world.data(client, OWED.replace("retractions", f"retractions{arguments}", 1))
    return [edge["node"] for edge in data["retractions"]["edges"]]


async def told(world: World, client: str = "pen") -> list[tuple[str, list[str]]]:
    """Give what each retraction is about, newest first."""
    return [(each["subject"], each["categories"]) for each in await owed(world, client)]


async def opened(world: World, **columns: Any) -> tuple[UUID, UUID, str]:
    """Open a case to the PEN Centre: the case, the consent, and what the PEN Centre calls the case."""
    case = await world.case()
    await world.agreement("pen-centre")
    made = await world.consent(case, **columns)
    return case, made, await case_id(world, case, "pen-centre")


async def withdrawn(world: World, case: UUID, made: UUID) -> None:
    """Let ICORN record that the person has taken a consent back."""
    await done(world, "desk", "withdrawConsent", {"consent": await consent_id(world, case, made)})


async def sequenced(world: World) -> None:
    """Let the worker put what was recorded into the log."""
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        await Sequencer(pool, HeadKeys(pool, KEYRING)).run()
