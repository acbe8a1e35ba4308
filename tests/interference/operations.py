"""This module draws what a principal asks: operations over the whole printed schema, with values that hit what is hidden."""

from collections.abc import Callable
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from schema.fields import NOUNS
from tests.interference.facts import CATEGORIES, ORGANISATIONS
from tests.interference.names import FAMILY_NAMES, ids, texts
from tests.interference.pairs import IDEMPOTENCY_KEYS, REFERENCES, Pair
from tests.interference.writing import aliased, arguments, document, nearby, printed, rewritten

PAGING = ("first", "after", "last", "before")
SAID = 'reason: "Asked to leave", person: {profile: {biography: "Two books", languages: ["fa"]}, identity: {familyName: "Petrova"}}'
OFTEN = {
    "cases": ["cases:read"], "case": ["cases:read"], "referrals": ["referrals:read"], "referral": ["referrals:read"],
    "node": [], "nodes": [], "_entities": [], "feedRecords": ["feeds:read"], "cities": ["residencies:read"],
}  # fmt: skip
"""Roots to ask most, with the scopes without which there is nothing to ask."""
SINGULAR = {"cases": "case", "referrals": "referral", "cities": "city", "organisations": "organisation"}
NODES = {"case": "Case", "referral": "Referral", "consents": "Consent", "city": "City", "organisation": "Organisation"}
"""Fields that lead to nodes, of which plain values are asked for besides what was drawn."""
KEYS = [*IDEMPOTENCY_KEYS, *(f"own-{number}" for number in range(20))]
"""Idempotency keys: some that others used, and more, so that not every command is a replay."""
WORDS = {word: name for name, noun in NOUNS.items() for word in noun.places}
"""The words that ids begin with, and the types they name."""
Draw = Callable[[st.SearchStrategy[Any]], Any]


def roots(kind: str) -> list[str]:
    """Name the root fields of Query or Mutation."""
    return list(printed().type_map[kind].fields)  # type: ignore[attr-defined] # an object type


DAYS = ["2026-01-11", "2026-01-15", "2026-02-10", "2026-03-01"]
SCALARS = {
    # Numbered here, and only later given the ids and texts of two worlds: a strategy is costly to make.
    "ID": st.integers(0, 9999).map(lambda number: nodes.String(f"id:{number}")),
    "String": st.integers(0, 9999).map(lambda number: nodes.String(f"text:{number}")),
    "Int": st.sampled_from([1, 2, 3]).map(nodes.Int),
    "CountryCode": st.sampled_from(["IR", "TR", "NO"]).map(nodes.String),
    "LanguageTag": st.just(nodes.String("fa")),
    "Date": st.sampled_from(DAYS).map(nodes.String),
    "DateTime": st.sampled_from(DAYS).map(lambda day: nodes.String(f"{day}T08:00:00Z")),
    "Duration": st.sampled_from(["PT5M", "P90D"]).map(nodes.String),
    # Written anew for the pair of worlds, like every input.
    "_Any": st.just(nodes.String("")),
}


@cache
def selections(kind: str, root: str) -> st.SearchStrategy[FieldNode]:
    """Draw a field of Query or Mutation, with arguments and with what is selected of it."""
    made = queries if kind == "Query" else mutations
    return made(
        printed(), fields=[root], custom_scalars=SCALARS, allow_null=False, print_ast=lambda document: document.definitions[0].selection_set.selections[0]  # type: ignore[attr-defined]
    )  # fmt: skip


class Operations:
    """Draws operations of one pair's principal."""

    def __init__(self, pair: Pair) -> None:
        worlds = (pair.left, pair.right)
        self._ids = ids(pair.principal.organisation, worlds)
        self._texts = texts(pair.principal.organisation, worlds)
        self._often = [root for root in OFTEN if pair.principal.may(*OFTEN[root]) for _ in range(2)]
        often = (
            ("referrals:submit", "submitReferral", 6),
            ("cases:write", "openCase", 4),
            ("consents:write", "withdrawConsent", 2),
        )
        self._commands = [name for scope, name, times in often if pair.principal.may(scope) for _ in range(times)]
        # Whoever reads no cases mostly changes things.
        changes = ["mutation"] * (4 if not pair.principal.may("cases:read") else 1 if self._commands else 0)
        self.kinds = ["query", "query", "on", *changes]

    def query(self, draw: Draw) -> DocumentNode:
        """Draw a query on one root field or six."""
        found: list[FieldNode] = []
        for number in range(draw(st.sampled_from([1, 6, 6, 6]))):
            root = draw(st.sampled_from([*self._often, *self._often, *roots("Query")]))
            found.append(aliased(self._mended(draw, draw(selections("Query", root))), f"{root}{number}"))
        return document(OperationType.QUERY, found)

    def mutation(self, draw: Draw) -> DocumentNode:
        """Draw a mutation, whose keys and references others may have used."""
        root = draw(st.sampled_from([*self._commands, *roots("Mutation")]))
        return document(OperationType.MUTATION, [self._mended(draw, draw(selections("Mutation", root)))])

    def going_on(self, draw: Draw, earlier: DocumentNode, cursors: list[str]) -> DocumentNode:
        """Draw the next or another page of the lists of an earlier query."""
        forth, size = draw(st.booleans()), draw(st.sampled_from([1, 2]))
        cursor = draw(st.sampled_from(cursors))
        given = f'first: {size}, after: "{cursor}"' if forth else f'last: {size}, before: "{cursor}"'

        class GoOn(Visitor):
            def enter_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
                names = {argument.name.value for argument in node.arguments or ()}
                if names.isdisjoint(PAGING) or node.name.value == "feedRecords":
                    return None
                kept = [a for a in node.arguments or () if a.name.value not in PAGING]
                backward_there = not forth and node.name.value not in ("cases", "referrals", "cities", "organisations")
                paging = f'first: {size}, after: "{cursor}"' if backward_there else given
                return rewritten(node, [*kept, *arguments(paging)])

        changed: DocumentNode = visit(earlier, GoOn())
        return changed

    def _mended(self, draw: Draw, field: FieldNode) -> FieldNode:
        """Make of random arguments some that mean something: pages that can be, one name of one thing, whole commands.

        A list that stops at its totalCount goes on to its nodes, now and then.
        """
        operations = self

        class Mend(Visitor):
            def enter_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
                if not node.arguments:
                    return rewritten(node, [], operations.deeper(draw, node)) if node.name.value in NODES else None
                kept = []
                for argument in node.arguments:
                    name = argument.name.value
                    if name == "by":
                        kept += arguments(f"by: {operations.name_of(draw, node.name.value)}")
                    elif name == "input":
                        kept += arguments(f"input: {operations.command(draw, node.name.value)}")
                    elif name == "representations":
                        said = ", ".join(operations.representation(draw) for _ in range(draw(st.integers(1, 4))))
                        kept += arguments(f"representations: [{said}]")
                    elif name == "filter" and draw(st.booleans()):
                        kept += arguments(f"filter: {operations.narrow(draw, node.name.value, argument.value)}")
                    elif name in ("filter", "orderBy", "maxAge", "deadline") and draw(st.integers(0, 2)):
                        continue
                    elif name not in PAGING:
                        kept.append(argument)
                if draw(st.booleans()) and any(a.name.value == "first" for a in node.arguments):
                    kept += arguments(f"first: {draw(st.sampled_from([1, 2, 3]))}")
                return rewritten(node, kept, operations.deeper(draw, node))

            def enter_string_value(self, node: StringValueNode, *_: Any) -> StringValueNode | None:
                kind, _colon, number = node.value.partition(":")
                pool = {"id": operations._ids, "text": operations._texts}.get(kind)
                return StringValueNode(value=pool[int(number) % len(pool)]) if pool and number.isdigit() else None

        changed: FieldNode = visit(field, Mend())
        return changed

    def deeper(self, draw: Draw, node: FieldNode) -> SelectionSetNode | None:
        """Draw a field's own selection, made richer; of a list, most often one that goes to its nodes."""
        name = node.name.value
        if name in NODES and node.selection_set is not None:
            return self.richer(draw, name, node.selection_set)
        if name not in SINGULAR or draw(st.integers(0, 3)) == 0:
            return node.selection_set
        inner = draw(selections("Query", SINGULAR[name])).selection_set
        page: Any = parse(
            "{ edges { cursor node } pageInfo { hasNextPage endCursor startCursor } totalCount }"
        ).definitions[0]
        edges, *rest = page.selection_set.selections
        cursor, inside = edges.selection_set.selections
        inside = rewritten(inside, [], self.richer(draw, SINGULAR[name], inner))
        return SelectionSetNode(selections=(rewritten(edges, [], SelectionSetNode(selections=(cursor, inside))), *rest))

    def richer(self, draw: Draw, noun: str, selected: SelectionSetNode | None) -> SelectionSetNode:
        """Ask of a node some of what is near, besides."""
        assert selected is not None
        there = {s.name.value for s in selected.selections if isinstance(s, FieldNode)}
        fields = nearby(NODES[noun])
        chosen = draw(st.integers(0, 2 ** len(fields) - 1))
        more = (f for number, f in enumerate(fields) if chosen >> number & 1 and f.name.value not in there)
        return SelectionSetNode(selections=(*selected.selections, *more))

    def id_of(self, draw: Draw, *words: str) -> str:
        """Draw an id that begins with one of these words, as GraphQL text."""
        return f'"{draw(st.sampled_from([i for i in self._ids if i.partition("_")[0] in words] or self._ids))}"'

    def representation(self, draw: Draw) -> str:
        """Draw what a router may say of an object, as GraphQL text."""
        word = draw(st.sampled_from(sorted(WORDS)))
        return f'{{__typename: "{WORDS[word]}", id: {self.id_of(draw, word)}}}'

    def name_of(self, draw: Draw, noun: str) -> str:
        """Draw how one case or referral is named."""
        if draw(st.integers(0, 2)):
            return f"{{id: {self.id_of(draw, noun)}}}"
        word = "reference" if noun == "case" or draw(st.booleans()) else "clientReference"
        fitting = (
            REFERENCES if word == "clientReference" else [t for t in self._texts if t.startswith(noun[0].upper() + "-")]
        )
        return f'{{{word}: "{draw(st.sampled_from(fitting or self._texts))}"}}'

    def narrow(self, draw: Draw, root: str, given: Any) -> str:
        """Keep one field of a filter, for all together match nothing; of cases, most often one that asks of what may be hidden."""
        field = print_ast(draw(st.sampled_from(given.fields)))
        if root == "cases":
            name = f'familyName: "{draw(st.sampled_from(FAMILY_NAMES))}"'
            sender = f'referredBy: "organisation_{draw(st.sampled_from(list(ORGANISATIONS)))}"'
            field = draw(st.sampled_from([field, name, sender]))
        return f"{{{field}}}"

    def command(self, draw: Draw, name: str) -> str:
        """Draw a command's input as GraphQL text; consents only ever deny, for what one opens to oneself is no longer hidden."""
        key = f'idempotencyKey: "{draw(st.sampled_from(KEYS))}"'
        if name == "submitReferral":
            reference = draw(st.sampled_from(["", *(f'clientReference: "{r}"' for r in REFERENCES)]))
            to = draw(
                st.sampled_from(
                    ["", *(f'to: "organisation_{code}"' for code in ORGANISATIONS), f"to: {self.id_of(draw, 'case')}"]
                )
            )
            agreed = draw(
                st.sampled_from(["[OVERVIEW, PROFILE, IDENTITY]", "[OVERVIEW, PROFILE, IDENTITY]", "[PROFILE]"])
            )
            consents = f'consents: [{{decision: ALLOW, recipients: {{everyPartner: true}}, categories: {agreed}, givenOn: "2026-05-01", evidence: "Form"}}]'
            return f"{{{key}, {reference}, {to}, discipline: WRITER, urgency: URGENT, {SAID}, {consents}}}"
        case = f"case: {self.id_of(draw, 'case')}"
        partner = f'organisation: "organisation_{draw(st.sampled_from(list(ORGANISATIONS)))}"'
        if name == "openCase":
            referral, record = self.id_of(draw, "referral"), self.id_of(draw, "record")
            source = draw(
                st.sampled_from(["", f"referral: {referral}", f"referral: {referral}", f"feedRecord: {record}"])
            )
            return f"{{{key}, {source}, riskLevel: LOW}}"
        if name == "recordConsent":
            about = draw(st.sampled_from([case, f"referral: {self.id_of(draw, 'referral')}"]))
            category = draw(st.sampled_from(CATEGORIES))
            denied = f'{{decision: DENY, recipients: {{everyPartner: true}}, categories: [{category}], givenOn: "2026-05-01", evidence: "Call"}}'
            return f"{{{key}, {about}, consent: {denied}}}"
        if name == "withdrawConsent":
            return f"{{{key}, consent: {self.id_of(draw, 'consent', 'agreed')}}}"
        if name == "acknowledgeRetraction":
            said = draw(st.sampled_from(["deleted: true", 'deleted: false, note: "Asked"', "deleted: false"]))
            return f"{{{key}, retraction: {self.id_of(draw, 'retraction')}, {said}}}"
        if name == "approveBreakGlass":
            return f"{{{key}, {case}}}"
        rest = {
            "breakGlass": f"categories: [{draw(st.sampled_from(CATEGORIES))}]",
            "shareCase": f"{partner}, categories: [OVERVIEW]",
            "holdCase": f"{partner}, held: {draw(st.sampled_from(['true', 'false']))}",
            "linkRecords": f"records: [{self.id_of(draw, 'record')}]",
            "setLegalHold": f"held: {draw(st.sampled_from(['true', 'false']))}",
            "eraseCase": f'confirmReference: "{draw(st.sampled_from([t for t in self._texts if t.startswith("C-")] or self._texts))}"',
        }[name]
        return f'{{{key}, {case}, {rest}, reason: "Asked"}}'
