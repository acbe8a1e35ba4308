"""This module keeps plans and their statements, one for each organisation, operation, set of scopes and shape of variables."""

from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import GraphQLSchema, OperationDefinitionNode

from hub.engine.documents import Document
from hub.engine.feed_results import feed_statement
from hub.engine.plan import Ask, Plan, plan
from hub.engine.selection import Variables, shape
from hub.engine.statement import STANDING, Statement, Writer, assembled, statement
from hub.postgres import INDEX_DRIVEN
from schema.fields import Remote

PLANS = 1000
"""How many plans are kept."""
WALLS = frozenset({1, 2})


@dataclass(frozen=True)
class Compiled:
    """A plan with its statements: one for own data (one a command, for mutations), and one for feeds if any are asked."""

    plan: Plan
    own: tuple[Statement, ...]
    feeds: Statement | None = None
    remote: tuple[Ask, ...] = field(default=())


class Plans:
    """Compiles operations, once per organisation and shape: nobody's are sooner answered because somebody else asked them. `walls` without 1 is for tests of the second wall."""

    def __init__(self, schema: GraphQLSchema, walls: frozenset[int] = WALLS) -> None:
        self._schema, self._walls = schema, walls
        self._known: OrderedDict[tuple[object, ...], Compiled] = OrderedDict()

    def get(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Variables,
        scopes: frozenset[str],
        organisation: int = 0,
    ) -> Compiled:
        """Give the compiled form of an operation for this principal's scopes and these variables' shape."""
        name = operation.name.value if operation.name else None
        key = (organisation, document.digest, name, scopes, shape(self._schema, operation, variables))
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        made = plan(self._schema, operation, document.fragments, variables, scopes)
        compiled = self._written(made)
        self._known[key] = compiled
        if len(self._known) > PLANS:
            self._known.popitem(last=False)
        return compiled

    def _written(self, made: Plan) -> Compiled:
        remote = tuple(part for part in made.parts if isinstance(part, Ask) and isinstance(part.source, Remote))
        if made.kind == "mutation":
            own = tuple(statement(made, root.asks, "live", self._walls) for root in made.roots if not root.constant)
        else:
            # A subscription's proof is spent when it begins; each event is read by who is live then.
            gate = "live" if made.kind == "subscription" else "proof"
            own = (statement(made, made.roots, gate, self._walls),)
        return Compiled(made, own, feed_statement(made, self._walls) if remote else None, remote)


def entrance(gate: str, standing: str = STANDING) -> Statement:
    """Write the statement that a mutation or a subscription begins with: the gate ("proof" or "live"), and nothing behind it.

    What follows in its transaction may change a hundred thousand rows at once, and is planned for that.
    """
    body = "select null::text as body, '{}'::seen[] as subjects from gate"
    return assembled(Writer(WALLS), body, gate, audited=False, standing=standing, settings=INDEX_DRIVEN)
