"""The oracle: graphql-core's own executor over plain resolvers, on the schema as it is printed."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from graphql import (
    ExecutionResult,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    default_field_resolver,
    execute_sync,
    get_argument_values,
    get_named_type,
    get_variable_values,
    parse,
    value_from_ast_untyped,
)
from graphql.execution.values import VariableValues

from hub.engine.cursors import Cursors
from schema.federation import subgraph
from schema.query import SCHEMA
from tests.differential import filters
from tests.differential.afterwards import presentation, presentations, retraction, retractions
from tests.differential.agreements import agreements, effect, explained
from tests.differential.changes import BEGINNING, change, changes
from tests.differential.lists import LISTINGS, Listing, Place, cut, text
from tests.differential.objects import Found, Objects
from tests.differential.statistics import statistics
from tests.differential.tables import Row, Tables
from tests.world import KEYRING

HUB: Final = SCHEMA._schema  # noqa: SLF001 graphql-core's schema is kept there
PRINTED: Final = build_schema(SCHEMA.as_str())
# The printed schema is sorted for reading; introspection shows the order of declaration.
PRINTED.type_map = {name: PRINTED.type_map[name] for name in HUB.type_map}
PRINTED.directives = tuple(next(d for d in PRINTED.directives if d.name == known.name) for known in HUB.directives)
CURSOR_KEY: Final = KEYRING.subkey("cursor/1") + KEYRING.subkey("cursor/2")
FEED_COLUMNS: Final = ("moved_at", "record_id")
WORDS: Final = {
    "case": "Case", "referral": "Referral", "event": "ReferralEvent", "message": "Message", "residency": "Residency", "consent": "Consent", "agreed": "Consent",
    "city": "City", "organisation": "Organisation", "agreement": "Agreement", "feed": "Feed", "record": "FeedRecord", "audit": "AuditEvent",
    "retraction": "Retraction", "presentation": "Presentation",
}  # fmt: skip
"""The words that ids begin with, and the types they name."""


def missing_scopes(schema: GraphQLSchema, parent: str, name: str, scopes: frozenset[str]) -> list[list[str]] | None:
    """Give the scopes that a field, or the type it leads to, asks for and the viewer lacks, as the printed schema says."""
    field = schema.type_map[parent].fields[name]  # type: ignore[attr-defined] # it is an object type
    for declared in (field, get_named_type(field.type)):
        if (lacking := lacks(declared, scopes)) is not None:
            return lacking
    return None


def lacks(declared: GraphQLNamedType | Any, scopes: frozenset[str]) -> list[list[str]] | None:
    """Give what `@requiresScopes` on a field or type asks for, when the viewer does not have it."""
    directives: Any = (declared.ast_node and declared.ast_node.directives) or ()
    for directive in directives:
        if directive.name.value == "requiresScopes":
            wanted: list[list[str]] = value_from_ast_untyped(directive.arguments[0].value)
            return None if any(scopes.issuperset(group) for group in wanted) else wanted
    return None


@dataclass(frozen=True)
class Who:
    """One client, as its token says."""

    organisation: int
    client: str
    scopes: frozenset[str]
    purpose: str
    expires_at: datetime


class Oracle:
    """Answers operations for one viewer."""

    def __init__(self, tables: Tables, who: Who) -> None:
        self.tables, self.who = tables, who
        self.objects = Objects(tables, who.organisation, who.scopes)
        self.objects.page = self._page
        self.objects.feed_results = self._feed_results
        self._cursors = Cursors(CURSOR_KEY, (str(who.organisation), who.client, ""))
        self._places: dict[str, Place] = {}
        self.bound = VariableValues({}, {})

    def answer(self, query: str, variables: Mapping[str, Any], operation: str | None = None) -> ExecutionResult:
        """Execute an operation."""
        document = parse(query)
        self.bind(document, variables, operation)
        return execute_sync(
            PRINTED, document, self._roots(), variable_values=dict(variables), operation_name=operation, field_resolver=self._resolve  # type: ignore[arg-type]
        )  # fmt: skip

    def bind(self, document: Any, variables: Mapping[str, Any], operation: str | None = None) -> VariableValues:
        """Coerce variables as the hub does, for what cursors are bound to."""
        chosen = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode) and operation in (None, d.name and d.name.value))  # fmt: skip
        coerced = get_variable_values(HUB, chosen.variable_definitions or (), dict(variables))
        assert isinstance(coerced, VariableValues), coerced
        self.bound = coerced
        return coerced

    def _resolve(self, source: Any, info: Any, **given: Any) -> Any:
        if missing_scopes(PRINTED, info.parent_type.name, info.field_name, self.who.scopes):
            return None
        return default_field_resolver(source, info, **given)

    def _roots(self) -> Found:
        objects, tables = self.objects, self.tables
        made_case: Any = objects.case
        made_city: Any = objects.city
        made_organisation: Any = objects.organisation
        made_referral: Any = objects.referral
        return {
            "viewer": self._viewer(),
            "node": lambda _, id: self._node(id),  # noqa: A006 Relay's name
            "nodes": lambda _, ids: [self._node(i) for i in ids],
            "_entities": lambda _, representations: [self._entity(**one) for one in representations],
            "_service": {"sdl": subgraph(SCHEMA.as_str())},
            "case": lambda _, by: next(map(made_case, self._chosen("case", objects.cases(), by)), None),
            "cases": lambda info, **given: objects.page(info, filters.cases(objects, given.get("filter") or {}), objects.case, given),
            "referral": lambda _, by: next(map(made_referral, self._chosen("referral", objects.referrals(), by)), None),
            "referrals": lambda info, **given: objects.page(info, filters.referrals(tables, objects.referrals(), given.get("filter") or {}), objects.referral, given),
            "city": lambda _, code: objects.city(tables.one("city", code=code)),
            "cities": lambda info, **given: objects.page(info, filters.cities(tables, given.get("filter") or {}), made_city, given),
            "organisation": lambda _, code: objects.organisation(tables.one("organisation", code=code)),
            "organisations": lambda info, **given: objects.page(info, tables.all("organisation"), made_organisation, given),
            "feeds": lambda _: [objects.feed(row) for row in sorted(tables.all("feed"), key=lambda r: r["code"])],
            "statistics": lambda _, groupBy, filter=None: statistics(tables, groupBy, filter or {}),  # noqa: A006, N803 the contract's names
            "feedRecords": lambda info, **given: self._feed_results(info, objects.records(), None, given),
            "auditEvents": lambda info, **given: objects.page(info, [], made_case, given),
            "retractions": lambda info, acknowledged=None, **given: objects.page(info, retractions(objects, acknowledged), partial(retraction, objects), given),
            "changes": self._changes,
            "simulateAgreement": lambda _, input: effect(objects, input),  # noqa: A006 the contract's name
            "explainAccess": lambda _, organisation, case: explained(objects, organisation, case),
            "presentations": lambda info, status=None, **given: objects.page(info, presentations(objects, status), partial(presentation, objects), given),
            "auditHeads": lambda info, **given: objects.page(info, [], made_case, given),
        }  # fmt: skip

    def _viewer(self) -> Found:
        who = self.who
        return {
            "organisation": self.objects.organisation_by(who.organisation), "clientId": who.client, "clientName": who.client.title(), "userName": None,
            "scopes": sorted(who.scopes), "purpose": who.purpose, "expiresAt": who.expires_at.isoformat(),
            "agreements": agreements(self.objects, who.organisation),
        }  # fmt: skip

    # What is found by an id, a name or a filter.

    def _node(self, wanted: str) -> Any:
        kind = WORDS.get(wanted.partition("_")[0], "")
        if not kind or lacks(PRINTED.type_map[kind], self.who.scopes):
            return None
        return next((found for found in self.everything(kind) if wanted in found.get("_ids", (found["id"],))), None)

    def _entity(self, **said: Any) -> Any:
        named = said.get("id")
        fits = isinstance(named, str) and said.get("__typename") == WORDS.get(named.partition("_")[0])
        return self._node(named) if fits and isinstance(named, str) else None

    def everything(self, kind: str) -> list[Any]:
        """Give all objects of a type that the viewer may see."""
        objects, tables = self.objects, self.tables
        match kind:
            case "Case":
                return [objects.case(row) for row in objects.cases()]
            case "Referral":
                return [objects.referral(row) for row in objects.referrals()]
            case "ReferralEvent" | "Message":
                table, make = ("message", objects.message) if kind == "Message" else ("referral_event", objects.event)
                return [make(r) for f in objects.referrals() for r in tables.all(table, referral_id=f["id"])]
            case "Consent":
                return objects.consents()
            case "Agreement":
                return [each for o in tables.all("organisation") for each in agreements(objects, o["id"])]
            case "Residency":
                return [objects.residency(row) for row in objects.residencies()]
            case "AuditEvent":
                return []
            case "Presentation" | "Retraction":
                rows, made = (presentations, presentation) if kind == "Presentation" else (retractions, retraction)
                return [made(objects, row) for row in rows(objects)]
            case "FeedRecord":
                return [objects.record(row) for row in objects.records()]
        make_public = {"City": objects.city, "Organisation": objects.organisation, "Feed": objects.feed}[kind]
        return [make_public(row) for row in tables.all(kind.lower())]

    def _chosen(self, word: str, rows: list[Row], by: Mapping[str, str]) -> list[Row]:
        ((how, wanted),) = by.items()
        if how == "clientReference":
            mine = {"sender": self.who.organisation, "client": self.who.client, "client_reference": wanted}
            return [row for row in rows if mine.items() <= row.items()]
        made = self.objects.case if word == "case" else self.objects.referral
        return [row for row in rows if made(row)[how] == wanted]

    # Pages and their cursors.

    def values(self, info: Any) -> dict[str, Any]:
        """Give a field's arguments as the hub coerces them."""
        definition = HUB.type_map[info.parent_type.name].fields[info.field_name]  # type: ignore[attr-defined] # an object
        return get_argument_values(definition, info.field_nodes[0], self.bound)

    def seal(self, coordinate: str, values: Mapping[str, Any], columns: tuple[str, ...], row: Row, *more: str) -> str:
        """Give the cursor of a row, and remember its place."""
        listing = LISTINGS.get(coordinate, LISTINGS["FeedResult"])
        ranks = {key.column: key for key in (*listing.orders.values(), listing.tie)}
        sealed = self._cursors.seal(coordinate, values, columns, [*(text(c, row[c]) for c in columns), *more])
        self._places[sealed] = tuple(ranks[column].of(row) for column in columns)
        return sealed

    def rows(self, coordinate: str) -> list[Row]:
        """Give every row that a list of this place in the schema could hold for the viewer."""
        objects, tables = self.objects, self.tables
        match coordinate:
            case "Query.cases":
                return objects.cases()
            case "Query.referrals" | "Case.referrals":
                return objects.referrals()
            case "Query.auditEvents" | "Case.accessLog" | "Query.auditHeads":
                return []
            case "City.residencies":
                return objects.residencies()
            case "Query.presentations":
                return presentations(objects)
            case "Query.changes":
                return changes(objects)
            case "Query.retractions":
                return retractions(objects)
        named = {
            "Referral.events": "referral_event",
            "Referral.messages": "message",
            "Query.cities": "city",
            "Query.organisations": "organisation",
        }
        return tables.all(named[coordinate])

    def _page(self, info: Any, rows: list[Row], make: Any, given: Found) -> Found:
        coordinate = f"{info.parent_type.name}.{info.field_name}"
        listing: Listing = LISTINGS[coordinate]
        keys, values = listing.keys(given.get("orderBy")), self.values(info)
        columns = tuple(key.column for key, _ in keys)
        after, before = (self._places[given[n]] if given.get(n) is not None else None for n in ("after", "before"))
        page = cut(rows, keys, given, after, before)
        edges = [{"cursor": self.seal(coordinate, values, columns, row), "node": make(row)} for row in page.rows]
        ends = {"startCursor": edges[0]["cursor"], "endCursor": edges[-1]["cursor"]} if edges else {}
        return {"edges": edges, "totalCount": page.total, "pageInfo": {"hasNextPage": page.next, "hasPreviousPage": page.previous, **ends}}  # fmt: skip

    def _changes(self, info: Any, **given: Any) -> Found:
        listing, values = LISTINGS["Query.changes"], self.values(info)
        after = self._places[given["after"]] if given.get("after") is not None else None
        page = cut(changes(self.objects), listing.keys(None), given, after, None)
        end = self.seal("Query.changes", values, ("place", "name"), page.rows[-1] if page.rows else BEGINNING)
        return {"changes": list(map(change, page.rows)), "hasNextPage": page.next, "endCursor": end if page.rows or after is None else given["after"]}  # fmt: skip

    def _feed_results(self, info: Any, rows: list[Row], case: Row | None, given: Found) -> list[Found]:
        coordinate, asked = f"{info.parent_type.name}.{info.field_name}", given.get("filter") or {}
        values, keys = (
            self.values(info),
            [(key, True) for key in (*LISTINGS["FeedResult"].orders.values(), LISTINGS["FeedResult"].tie)],
        )
        rows = filters.records(rows, asked)
        if case is not None:
            linked = {link["record"] for link in self.tables.all("feed_record_link", case_id=case["id"])}
            rows = [row for row in rows if row["id"] in linked]
        after = {cursor["feed"]: self._places[cursor["after"]] for cursor in given.get("after") or []}
        found = []
        for feed in sorted(self.tables.all("feed"), key=lambda row: row["code"]):
            if asked.get("feeds") is not None and feed["code"] not in asked["feeds"]:
                continue
            mine = [row for row in rows if row["feed"] == feed["id"]]
            page = cut(mine, keys, {"first": given.get("first")}, after.get(feed["code"]), None)
            end = self.seal(coordinate, values, FEED_COLUMNS, page.rows[-1], feed["code"]) if page.rows else None
            shown = self.objects.feed(feed)
            found.append({"feed": shown, "state": _state(feed, shown, given.get("maxAge"), self.tables.now), "fetchedAt": shown["lastSyncedAt"],
                          "records": [self.objects.record(row) for row in page.rows], "endCursor": end, "hasNextPage": page.next})  # fmt: skip
        return found


def _state(feed: Row, shown: Found, max_age: str | None, now: datetime) -> str:
    """Judge a feed by the age asked for, which in these tests is always of whole hours."""
    if feed["last_synced_at"] is None or max_age is None:
        return "UNAVAILABLE" if feed["last_synced_at"] is None else str(shown["state"])
    hours = int(max_age.removeprefix("PT").removesuffix("H"))
    return "FRESH" if (now - feed["last_synced_at"]).total_seconds() <= hours * 3600 else "STALE"


def expires_at(token: str) -> datetime:
    """Read when an access token ends."""
    body = token.split(".")[1]
    return datetime.fromtimestamp(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"], UTC)
