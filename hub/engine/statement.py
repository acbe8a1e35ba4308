"""This module writes a Plan down as one SQL statement with parameters, whatever its depth. It is pure.

Every object is one `concat` of its members' JSON (see json_text); every list a `string_agg` over LATERAL rows;
`k` beside each JSON `j` carries who is in it, by pseudonym, and what of them was open, from every depth, for the audit record.
What only the hub can fill in stands in the JSON as {"$kind" : "part|..."}, which no name or text of a client can forge:
a GraphQL name has no dollar sign, and a JSON string no bare quote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.engine.json_text import Known, Piece, array, mark, members, nested, value
from hub.engine.nodes import any_node
from hub.engine.pages import page
from hub.engine.parameters import FEED_KEYS, Base, Given, Parameter, dig
from hub.engine.plan import Arguments, Ask, Plan
from hub.engine.recorded import CHANGED, People, seen
from schema.fields import (
    Column,
    Many,
    Nested,
    One,
    Order,
    Page,
    Personal,
    Problems,
    Remote,
    Rows,
    Sealed,
    SealedText,
    Where,
)

CASTS = {
    "org": "int", "client": "text", "user": "text", "scopes": "text", "proof": "bytea", "proof_until": "timestamptz", "token": "text",
    "purpose": "text", "operation": "bytea", "expires_at": "timestamptz", "action": "text", "categories": "text[]", "commit": "text", "subject": "uuid", "named": "text", "ordinal": "int", "outcome": "text", "by_id": "boolean",
    "webhook": "uuid", "kinds": "text[]", "referrals": "uuid[]", "ordinals": "int[]", "retractions": "uuid[]",
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """SQL, and where the value of each parameter comes from."""

    sql: str
    parameters: tuple[Parameter, ...]
    cursors: tuple[tuple[Arguments, tuple[str, ...]], ...] = ()


@dataclass
class Names(dict[str, str]):
    """The names in braces of a declared expression, allotted when one is used."""

    writer: "Writer"
    given: Mapping[str, str] = field(default_factory=dict)

    def __missing__(self, name: str) -> str:
        if name in self.given:
            return self.given[name]
        if name == "now":
            return "(select hub_now())"
        return self.writer.base(name)


class Writer:
    """Writes one statement; `walls` without 1 leaves out every access predicate, so that tests see the second wall alone."""

    def __init__(self, walls: frozenset[int]) -> None:
        self.walls = walls
        self.parameters: list[Parameter] = []
        self.cursors: list[tuple[Arguments, tuple[str, ...]]] = []
        self.context: dict[str, str] = {}
        self.aliases = 0

    def alias(self, letter: str = "r") -> str:
        """Give a new name for a sub-select."""
        self.aliases += 1
        return f"{letter}{self.aliases}"

    def parameter(self, parameter: Parameter) -> str:
        """Give a parameter its number, the same for the same value."""
        if parameter not in self.parameters:
            self.parameters.append(parameter)
        return f"${self.parameters.index(parameter) + 1}"

    def cursor(self, asked: Arguments, keys: Sequence[tuple[Order, str]]) -> int:
        """Give a page's cursors their number, so that the hub knows what each is bound to."""
        self.cursors.append((asked, tuple(order.column for order, _ in keys)))
        return len(self.cursors) - 1

    def feed_cursor(self, asked: Arguments) -> int:
        """Give the cursors of a page over several feeds their number."""
        self.cursors.append((asked, FEED_KEYS))
        return len(self.cursors) - 1

    def base(self, name: str) -> str:
        """Give a value of the principal or request, with its type."""
        return f"{self.parameter(Base(name))}::{CASTS[name]}"

    def fill(self, template: str, **given: str) -> str:
        """Write a declared expression out."""
        return template.format_map(Names(self, {**self.context, **given}))

    def rows(self, rows: Rows, parent: str = "") -> str:
        """Write the rows of a type, behind the first wall."""
        access = f" where {self.fill(rows.access, parent=parent)}" if rows.access and 1 in self.walls else ""
        return f"({self.fill(rows.select, parent=parent)}{access})"

    def conditions(self, ask: Ask, row: str, **given: str) -> str:
        """Write what a field's arguments ask of a row."""
        found = []
        for rule, path in ask.wheres:
            assert ask.arguments is not None  # noqa: S101 predicates come from arguments
            # A parameter that no expression names would have no type.
            named = "{value}" in rule.sql
            value = self.parameter(Given(ask.arguments, path, rule.convert)) if named else ""
            found.append(" and " + self.fill(rule.sql, row=row, value=self.meant(rule, value), **given))
        return "".join(found)

    def meant(self, rule: Where, value: str) -> str:
        """Write what a value stands for, worked out once."""
        return f"(select {self.fill(rule.found, value=value)})" if rule.found else value

    def object(self, asks: Sequence[Ask], row: str, rows: Rows | None = None) -> tuple[str, str, People]:
        """Write an object on a row of `rows`: (joins, its JSON, who is in it)."""
        joins: list[str] = []
        columns: list[tuple[str, Piece]] = []
        people: list[str] = []
        for ask in asks:
            piece = self.value(ask, row)
            if piece is not None:
                columns.append((ask.key, piece))
                continue
            below, has_people = self.below(ask, row)
            name = self.alias("n")
            joins.append(f" left join lateral ({below}) {name} on true")
            columns.append((ask.key, nested(f"{name}.j")))
            people += [f"{name}.k"] if has_people else []
        own = seen(self, rows, asks, row) if rows is not None and rows.subject else ""
        return "".join(joins), members(columns), People(own, tuple(people))

    def value(self, ask: Ask, row: str) -> Piece | None:
        """Write a field that is one value of the row, or of the hub; None for one that needs rows of its own."""
        match ask:
            case Ask(constant="introspection"):
                return Known(f'{{"$introspection" : "{ask.key}"}}')
            case Ask(constant=constant) if constant:
                return Known(constant)
            case Ask(source=Column(sql)):
                return value(ask.form, self.fill(sql, row=row))
            case Ask(source=Sealed() | SealedText() | Personal()):
                return nested(self.sealed(ask, row))
            case Ask(source=Remote(per_case)):
                return mark("remote", str(ask.part), *([f"{row}.case_id"] if per_case else []))
            case Ask(source=Problems()):
                return Known(f'{{"$problems" : "{ask.part}"}}')
        return None

    def sealed(self, ask: Ask, row: str) -> str:
        """Write a sealed document as it lies, with its wrapped key, for the hub to open."""
        document = ask.documents
        assert document is not None  # noqa: S101 the planner gives one
        given = {"row": row, "category": ask.name.lower(), "CATEGORY": ask.name}
        access = self.fill(document.access, **given) if 1 in self.walls else "true"
        subject = self.fill(document.subject, **given)
        place = (str(ask.part), subject, f"'{ask.name}'", "d.key_version", "d.kek")
        found = mark("sealed", *place, "encode(d.wrapped, 'hex')", "encode(d.sealed, 'hex')")
        return f"case when {access} then (select {found} from ({self.fill(document.sql, **given)}) d where d.sealed is not null) end"

    def below(self, ask: Ask, row: str, guard: str = "") -> tuple[str, bool]:
        """Write a field that needs rows of its own: (SELECT of j and perhaps k, whether there is k)."""
        match ask.source:
            case One(rows, on):
                return self.one(rows, self.fill(on, row="{row}", parent=row), ask, row, guard)
            case Many(rows, on, order):
                return self.many(rows, on, order, ask, row, guard)
            case Page():
                return page(self, ask, row, guard)
            case Nested():
                joins, json, people = self.object(ask.asks, row)
                return f"select {json} as j{people.column()} from (select) x{joins}", bool(people)
        return any_node(self, ask, guard)

    def one(self, rows: Rows, on: str, ask: Ask, parent: str, guard: str) -> tuple[str, bool]:
        """Write at most one object."""
        name = self.alias()
        joins, json, people = self.object(ask.asks, name, rows)
        where = on.replace("{row}", name) + self.conditions(ask, name) + guard
        found = f"{self.carrying(self.rows(rows, parent), ask)} {name}{joins} where {where}"
        return f"select {json} as j{people.column()} from {found}", bool(people)

    def carrying(self, rows: str, ask: Ask) -> str:
        """Write rows with the arguments they carry for what lies below them, null where one is not given."""
        columns = ""
        for name, (argument, kind) in ask.source.carried.items() if isinstance(ask.source, One) else ():
            given = Given(ask.arguments, tuple(argument.split("."))) if ask.arguments else None
            there = given is not None and dig(given.arguments.values, given.path) is not None
            columns += f", {self.parameter(given) if given and there else 'null'}::{kind} as {name}"
        return f"(select r.*{columns} from {rows} r)" if columns else rows

    def many(self, rows: Rows, on: str, order: str, ask: Ask, parent: str, guard: str) -> tuple[str, bool]:
        """Write all objects of a list."""
        name = self.alias()
        joins, json, people = self.object(ask.asks, name, rows)
        given = {"row": name, "parent": parent}
        gathered = f", {people.gathered()} as k" if people else ""
        return (
            f"select {array(json, self.fill(order, **given))} as j{gathered}"
            f" from {self.rows(rows, parent)} {name}{joins} where {self.fill(on, **given)}{self.conditions(ask, name)}{guard}"
        ), bool(people)


def roots(writer: Writer, asks: Sequence[Ask], guard: str, join: str = "left join") -> tuple[str, str]:
    """Write the roots of an operation side by side: (FROM items with body, the pseudonyms). By an inner join, there is no answer without them."""
    joins: list[str] = []
    columns: list[tuple[str, Piece]] = []
    people: list[str] = []
    for ask in asks:
        piece = writer.value(ask, "")
        if piece is None:
            below, has_people = writer.below(ask, "", guard)
            name = writer.alias("f")
            joins.append(f" {join} lateral ({below}) {name} on true")
            piece = nested(f"{name}.j")
            people += [f"{name}.k"] if has_people else []
        columns.append((ask.key, piece))
    subjects = "coalesce(" + (" || ".join(people) or "null::seen[]") + ", '{}')"
    return f"select {members(columns)} as body, {subjects} as subjects from gate{''.join(joins)}", subjects


GATE = {
    "proof": "insert into seen_proof (proof, until, organisation) select {proof}, {proof_until}, {org} from principal where trusted"
    " on conflict do nothing returning true as ok",
    "live": "select true as ok from principal where trusted",
}
"""What must be true before anything is read: the proof is new, or (for what follows in the same request) the asker is live."""
STANDING = "viewer_standing({token}, {operation}, {by_id})"


def statement(plan: Plan, asks: Sequence[Ask], gate: str, walls: frozenset[int]) -> Statement:
    """Write roots of a plan with the gate before them and the audit record behind: no new proof, no read; no record, no answer."""
    writer = Writer(walls)
    # Of an event that the viewer may not see there is no answer, and so no record either.
    body, _ = roots(writer, asks, " and gate.ok", "join" if plan.kind == "subscription" else "left join")
    return assembled(writer, body, gate, audited=plan.audited, written=plan.kind == "mutation")


def assembled(
    writer: Writer,
    body: str,
    gate: str,
    *,
    audited: bool,
    written: bool = False,
    standing: str = STANDING,
    settings: Sequence[str] = (),
) -> Statement:
    """Bind the principal (`trusted` is null where it is not live, false where its document is none of its own), pass the gate, answer, and leave the audit record, each part naming the one it needs.

    `written` is for what a command did: whom it concerned is on record, whatever is asked back. `settings` are turned on for the transaction.
    """
    bound = " and ".join(
        f"set_config('hub.{name}', {value}, true) is not null"
        for name, value in (
            ("organisation", writer.fill("{org}::text")),
            ("client", writer.fill("{client}")),
            ("user", writer.fill("coalesce({user}, '')")),
            ("scopes", writer.fill("{scopes}")),
            ("proof", writer.fill("encode({proof}, 'hex')")),
        )
    )
    bound += writer.fill(" and set_config('synchronous_commit', {commit}, true) is not null")
    bound += "".join(f" and set_config('{name}', 'on', true) is not null" for name in settings)
    logged = (
        "insert into audit (organisation, client, usr, action, operation, purpose, outcome, subjects, categories, proof) select"
        " {org}, {client}, {user}, {action}, {operation}, {purpose}, {outcome}, answer.subjects"
        + (CHANGED if written else "")
        + ", {categories}::category[], {proof} from answer returning true as ok"
        if audited
        else "select true as ok from answer"
    )
    sql = (
        f"with principal as materialized (select case when {bound} then {writer.fill(standing)} end as trusted),\n"
        f"gate as materialized ({writer.fill(GATE[gate])}),\n"
        f"answer as materialized ({body} where gate.ok),\n"
        f"logged as ({writer.fill(logged)})\n"
        "select p.trusted, nullif(current_setting('hub.organisation', true), '')::int as ran_as, (select ok from gate) as fresh,"
        " (select convert_to(answer.body, 'UTF8') from answer, logged where logged.ok) as body from principal p"
    )
    return Statement(sql, tuple(writer.parameters), tuple(writer.cursors))
