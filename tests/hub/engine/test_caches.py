"""What is kept between requests is kept for each organisation by itself: that somebody else has asked shows in no time."""

from hub.engine.compiled import Plans
from hub.engine.documents import Documents, variable_values
from schema.query import SCHEMA
from tests.world import World

NAME = '{ cases(filter: {familyName: "Farahani"}) { totalCount } }'
CORE = SCHEMA._schema  # noqa: SLF001 graphql-core's schema is kept there


def test_a_document_is_known_to_those_who_sent_it() -> None:
    """It is parsed anew for another organisation, for its literals may be somebody's name."""
    documents = Documents(CORE)
    first, again, elsewhere = [documents.get(NAME, organisation=organisation) for organisation in (1, 1, 2)]

    assert first is again
    assert first is not elsewhere
    assert first.digest == elsewhere.digest


def test_a_plan_is_known_to_those_who_asked_for_it() -> None:
    """It is made anew for another organisation, though the scopes are the same."""
    documents, plans = Documents(CORE), Plans(CORE)
    document = documents.get(NAME)
    node = document.operation(None)
    values = variable_values(CORE, node, {})
    scopes = frozenset({"cases:read", "cases:identity"})
    first, again, elsewhere = [plans.get(document, node, values, scopes, organisation) for organisation in (1, 1, 2)]

    assert first is again
    assert first is not elsewhere
    assert [each.sql for each in first.own] == [each.sql for each in elsewhere.own]


async def test_what_one_partner_asked_is_new_when_another_asks(world: World) -> None:
    """Over HTTP too: each organisation that asks has its own."""
    engine = world.app.state.engine
    for client in ("pen", "arts", "pen"):
        await world.data(client, NAME)

    asked = [{key[0] for key in kept._known} for kept in (engine.documents, engine.plans)]  # noqa: SLF001 what is kept
    assert asked == [{world.organisations["pen-centre"], world.organisations["arts-haven"]}] * 2
