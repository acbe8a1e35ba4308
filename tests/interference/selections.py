"""This module draws fields of Query, Mutation and Subscription over the whole printed schema, with arguments and with what is selected of them."""

from collections.abc import Callable
from functools import cache
from typing import Any

from graphql import FieldNode, GraphQLSchema
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from tests.interference.twins import TIMES
from tests.interference.writing import printed

NUMBER = st.integers(0, 9999)
DRAWN = 16 * TIMES
"""How many selections of a root field are drawn: drawing one costs more than asking it."""
Draw = Callable[[st.SearchStrategy[Any]], Any]


def pick(draw: Draw, options: list[Any]) -> Any:
    """Draw one of what there is, in such a way that the draw is the same however many there are."""
    return options[draw(NUMBER) % len(options)]


def roots(kind: str) -> list[str]:
    """Name the root fields of Query, Mutation or Subscription."""
    return list(printed().type_map[kind].fields)  # type: ignore[attr-defined] # an object type


DAYS = ["2026-01-11", "2026-01-15", "2026-02-10", "2026-03-01"]
SCALARS = {
    # Only later given the ids and texts of two worlds.
    "ID": st.just(nodes.String("id:")),
    "String": st.just(nodes.String("text:")),
    "Int": st.sampled_from([1, 2, 3]).map(nodes.Int),
    "CountryCode": st.sampled_from(["IR", "TR", "NO"]).map(nodes.String),
    "LanguageTag": st.just(nodes.String("fa")),
    "Date": st.sampled_from(DAYS).map(nodes.String),
    "DateTime": st.sampled_from([*DAYS, "2026-11-01"]).map(lambda day: nodes.String(f"{day}T08:00:00Z")),
    "Duration": st.sampled_from(["PT5M", "P90D"]).map(nodes.String),
    # Written anew for the pair of worlds, like every input.
    "_Any": st.just(nodes.String("")),
    "JSON": st.just(nodes.String("")),
}


@cache
def selections(kind: str, root: str) -> list[FieldNode]:
    """Draw fields of Query, Mutation or Subscription, with arguments and with what is selected of them."""
    made, schema = (mutations, printed()) if kind == "Mutation" else (queries, printed())
    if kind == "Subscription":
        # Drawn like a query's.
        schema = GraphQLSchema(printed().subscription_type, types=tuple(printed().type_map.values()))
    found: list[FieldNode] = []

    @seed(DRAWN)
    @settings(
        max_examples=DRAWN,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        made(
            schema,
            fields=[root],
            custom_scalars=SCALARS,
            allow_null=False,
            print_ast=lambda document: document.definitions[0].selection_set.selections[0],  # type: ignore[attr-defined]
        )
    )
    def draw(field: FieldNode) -> None:
        found.append(field)

    draw()
    return found


def draw_all() -> None:
    """Draw selections of every root field, before they are needed where nothing new can be drawn."""
    for kind in ("Query", "Mutation", "Subscription"):
        for root in roots(kind):
            selections(kind, root)
