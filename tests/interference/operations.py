"""This module draws what a principal asks: operations over the whole printed schema, with values that hit what is hidden."""

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

from schema.fields import NOUNS
from tests.interference.commands import COMMANDS, written
from tests.interference.facts import CATEGORIES, ORGANISATIONS
from tests.interference.known import Known, Said
from tests.interference.names import FAMILY_NAMES, ids, texts
from tests.interference.pairs import IDEMPOTENCY_KEYS, REFERENCES, Pair
from tests.interference.selections import NUMBER, Draw, draw_all, pick, roots, selections
from tests.interference.writing import aliased, arguments, beside, document, fields_of, nearby, rewritten

PAGING = ("first", "after", "last", "before")
OFTEN = {
    "cases": ["cases:read"], "case": ["cases:read"], "referrals": ["referrals:read"], "referral": ["referrals:read"],
    "node": [], "nodes": [], "_entities": [], "feedRecords": ["feeds:read"], "cities": ["residencies:read"], "retractions": [], "presentations": ["presentations:read"],
}  # fmt: skip
"""Roots to ask most, with the scopes without which there is nothing to ask."""
SINGULAR = {"cases": "case", "referrals": "referral", "cities": "city", "organisations": "organisation"}
NODES = {"case": "Case", "referral": "Referral", "consents": "Consent", "city": "City", "organisation": "Organisation"}
"""Fields that lead to nodes, of which plain values are asked for besides what was drawn."""
KEYS = [*IDEMPOTENCY_KEYS, *(f"own-{number}" for number in range(20))]
"""Idempotency keys: some that others used, and more, so that not every command is a replay."""
WORDS = {word: name for name, noun in NOUNS.items() for word in noun.places}
"""The words that ids begin with, and the types they name."""


class Operations:
    """Draws operations of one pair's principal."""

    def __init__(self, pair: Pair) -> None:
        worlds = (pair.left, pair.right)
        draw_all()
        self.afresh()
        self._own = pair.principal.organisation
        self._ids = ids(pair.principal.organisation, worlds)
        self._own = pair.principal.organisation
        self._texts = texts(pair.principal.organisation, worlds)
        self._often = [root for root in OFTEN if pair.principal.may(*OFTEN[root]) for _ in range(2)]
        often = (
            ("referrals:submit", "submitReferral", 6),
            ("referrals:respond", "respondToReferral", 6),
            ("referrals:submit", "withdrawReferral", 1),
            ("cases:write", "openCase", 4),
            ("consents:write", "withdrawConsent", 2),
            ("consents:write", "recordConsent", 2),
            ("cases:emergency", "breakGlass", 2),
            ("presentations:answer", "answerPresentation", 2),
            ("access:manage", "updateUser", 1),
            ("residencies:write", "updateResidency", 2),
            ("access:manage", "updateClient", 1),
        )
        self._commands = [name for scope, name, times in often if pair.principal.may(scope) for _ in range(times)]
        # Whoever reads no cases mostly changes things.
        changes = ["mutation"] * (4 if not pair.principal.may("cases:read") else 1 if self._commands else 0)
        self._kinds = ["query", "query", "on", "back", "follow", *changes, *(["again"] * min(2, len(changes)))]

    def afresh(self) -> None:
        """Begin a sequence: nothing is known yet."""
        self.known = Known()
        self._query: DocumentNode | None = None

    def step(self, draw: Draw) -> DocumentNode:
        """Draw what is asked next, from what is known by now."""
        kind, earlier, again = draw(st.sampled_from(self._kinds)), draw(NUMBER), self.known.said
        if kind == "mutation" or (kind == "again" and not again):
            return self.mutation(draw, self.saying(draw))
        if kind == "again":
            return self.mutation(draw, self.once_more(draw, again[earlier % len(again)]))
        if kind == "follow":
            return self.subscription(draw)
        if kind == "back":
            return self.looking_back(draw)
        if kind == "on" and self._query is not None:
            return self.going_on(draw, self._query)
        self._query = self.query(draw)
        return self._query

    def query(self, draw: Draw) -> DocumentNode:
        """Draw a query on one root field or six."""
        found: list[FieldNode] = []
        for number in range(draw(st.sampled_from([1, 6, 6, 6]))):
            root = draw(st.sampled_from([*self._often, *self._often, *roots("Query")]))
            found.append(aliased(self._mended(draw, pick(draw, selections("Query", root))), f"{root}{number}"))
        return document(OperationType.QUERY, found)

    def subscription(self, draw: Draw) -> DocumentNode:
        """Draw something to follow."""
        field = pick(draw, selections("Subscription", draw(st.sampled_from(roots("Subscription")))))
        return document(OperationType.SUBSCRIPTION, [self._mended(draw, field)])

    def mutation(self, draw: Draw, said: Said) -> DocumentNode:
        """Draw what is read back of a command."""
        self.known.said.append(said)
        field = pick(draw, selections("Mutation", said.mutation))
        given = arguments(f'input: {{idempotencyKey: "{said.key}", {said.given}}}')
        return document(OperationType.MUTATION, [self._mended(draw, rewritten(field, given))])

    def saying(self, draw: Draw, mutation: str = "") -> Said:
        """Draw a command, whose keys and references others may have used."""
        mutation = mutation or draw(st.sampled_from([*self._commands, *roots("Mutation")]))
        template = draw(st.sampled_from(COMMANDS[mutation]))
        return Said(mutation, draw(st.sampled_from(KEYS)), written(template, lambda word: self.word(draw, word)))

    def once_more(self, draw: Draw, said: Said) -> Said:
        """Draw how a command is sent again: as it was, or with another input, or under another key."""
        other = self.saying(draw, said.mutation)
        how = draw(st.sampled_from(["as it was", "another input", "another key"]))
        key = other.key if how == "another key" else said.key
        return Said(said.mutation, key, other.given if how == "another input" else said.given)

    def looking_back(self, draw: Draw) -> DocumentNode:
        """Ask for things by the ids and references that answers have told."""
        known = self.known
        named = ", ".join(f'"{pick(draw, known.ids or self._ids)}"' for _ in range(3))
        reference = pick(draw, known.references or self._texts)
        others = " ".join(
            f'{noun}{number}: {noun}(by: {{{word}: "{reference}"}}) {{ id }}'
            for number, (noun, word) in enumerate(
                (("case", "reference"), ("referral", "reference"), ("referral", "clientReference"))
            )
        )
        near = " ".join(beside(kind) for kind in NODES.values())
        others += " retractions(first: 5) { totalCount edges { node { id subject categories acknowledgedAt note } } }"
        return document(OperationType.QUERY, fields_of(f"nodes(ids: [{named}]) {{ __typename {near} }} {others}"))  # fmt: skip

    def going_on(self, draw: Draw, earlier: DocumentNode) -> DocumentNode:
        """Draw the next or another page of the lists of an earlier query."""
        forth, size = draw(st.booleans()), draw(st.sampled_from([1, 2]))
        cursor = pick(draw, self.known.cursors or ["nothing"])
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
                known = operations.known
                pools = {"id:": [*known.ids, *operations._ids], "text:": [*known.references, *operations._texts]}
                return StringValueNode(value=pick(draw, pools[node.value])) if node.value in pools else None

        changed: FieldNode = visit(field, Mend())
        return changed

    def deeper(self, draw: Draw, node: FieldNode) -> SelectionSetNode | None:
        """Draw a field's own selection, made richer; of a list, most often one that goes to its nodes."""
        name = node.name.value
        if name in NODES and node.selection_set is not None:
            return self.richer(draw, name, node.selection_set)
        if name not in SINGULAR or draw(st.integers(0, 3)) == 0:
            return node.selection_set
        inner = pick(draw, selections("Query", SINGULAR[name])).selection_set
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
        known = [*(self.known.ids * 4), *self._ids]
        return f'"{pick(draw, [name for name in known if name.partition("_")[0] in words] or self._ids)}"'

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

    def word(self, draw: Draw, word: str) -> str:
        """Draw what stands for a word of a command, as GraphQL text."""
        match word:
            case "category":
                return str(draw(st.sampled_from(CATEGORIES)))
            case "organisation":
                return f'"organisation_{draw(st.sampled_from(list(ORGANISATIONS)))}"'
            case "own":
                return f'"organisation_{self._own}"'
            case "reference":
                return f'"{pick(draw, [*REFERENCES, *self.known.references])}"'
            case "caseReference":
                return f'"{pick(draw, [t for t in [*self.known.references, *self._texts] if t.startswith("C-")])}"'
            case "consent":
                return self.id_of(draw, "consent", "agreed")
        return self.id_of(draw, word)
