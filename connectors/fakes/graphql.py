"""This module is a sister system that speaks GraphQL: bearer token, one Relay connection, its own words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graphql import GraphQLResolveInfo, build_schema, graphql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, refused
from connectors.fakes.walk import BadCursorError, Layout, Raw, cursor, page

LAYOUT = Layout(("id",), ("updatedAt",))
SCHEMA = build_schema("""
type Query {
  "Oldest change first."
  referrals(first: Int = 20, after: String, updatedSince: String): ReferralConnection
}
type ReferralConnection { edges: [ReferralEdge!]! pageInfo: PageInfo! }
type ReferralEdge { cursor: String! node: Referral }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Referral {
  id: ID! link: String createdAt: String! updatedAt: String! profession: String homeCountry: String dangerGrade: Int
  priority: String applicant: Applicant! story: String spokenLanguages: [String!] publications: [Publication!]
  threats: Threats stay: Stay reachableBy: [Address!] mayBeCalled: Boolean medical: String household: [Relative!]
}
type Applicant {
  firstName: String lastName: String penNames: [String!] dateOfBirth: String gender: String passports: [String!]
}
type Publication { title: String! year: Int form: String }
type Threats { summary: String by: [String!] events: [Event!] }
type Event { day: String kind: String! text: String }
type Stay { country: String town: String street: String since: String hidden: Boolean }
type Address { medium: String! value: String! secure: Boolean! }
type Relative { relation: String! name: String dateOfBirth: String comesAlong: Boolean! }
""")


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve `records` (read anew for each request) at POST /graphql to whoever bears `token`."""
    switches = faults or Faults()

    async def endpoint(request: Request) -> Response:
        document = await request.json()

        async def body(active: Faults) -> Response:
            return await _execute(records, document, active)

        return refused(request, "Authorization", f"Bearer {token}") or await answer(
            switches, body, positioned=bool((document.get("variables") or {}).get("after"))
        )

    return Starlette(routes=[Route("/graphql", endpoint, methods=["POST"])])


async def _execute(records: Sequence[Raw], document: dict[str, Any], faults: Faults) -> Response:
    def referrals(
        _: GraphQLResolveInfo[Any],
        first: int,
        after: str | None = None,
        updatedSince: str | None = None,  # noqa: N803
    ) -> dict[str, Any] | None:
        return None if faults.null_root else _connection(records, first, after, updatedSince, faults)

    try:
        result = await graphql(SCHEMA, document["query"], {"referrals": referrals}, None, document.get("variables"))
    except KeyError:
        return JSONResponse({"errors": [{"message": "no query"}]}, status_code=400)
    answered: dict[str, Any] = {"data": result.data}
    if result.errors:
        answered["errors"] = [{"message": error.message} for error in result.errors]
    if faults.errors_with_data:
        answered["errors"] = [{"message": "SECRET resolver trace", "path": ["referrals", "edges", 0, "node"]}]
    return JSONResponse(answered)


def _connection(
    records: Sequence[Raw], first: int, after: str | None, since: str | None, faults: Faults
) -> dict[str, Any]:
    after = None if faults.repeat_cursor else after
    try:
        first = max(1, first // 2) if faults.short else first
        taken, end, more = page(LAYOUT.seen(records, faults), LAYOUT, first, after, since)
    except BadCursorError:
        raise ValueError("bad cursor") from None
    if faults.repeat_cursor:
        end, more = "again", True
    if faults.no_cursor:
        end, more = None, True
    return {
        "edges": [{"cursor": cursor(raw, LAYOUT), "node": raw} for raw in taken],
        "pageInfo": {"hasNextPage": more, "endCursor": end},
    }


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a referral, shaped as this system has it."""
    moment = changed.isoformat()
    return {"id": ident, "createdAt": moment, "updatedAt": moment, "applicant": {"firstName": name}}
