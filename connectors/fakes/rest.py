"""This module is a sister system with a JSON API: key in a header, pages by cursor or link, its own words."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, refused
from connectors.fakes.walk import BadCursorError, Raw, page


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve `records` (read anew for each request) at GET /api/applications to whoever shows `token` as X-Api-Key."""
    switches = faults or Faults()

    async def endpoint(request: Request) -> Response:
        async def body(active: Faults) -> Response:
            return _page(records, request, active)

        return refused(request, "X-Api-Key", token) or await answer(switches, body)

    return Starlette(routes=[Route("/api/applications", endpoint)])


def _page(records: Sequence[Raw], request: Request, faults: Faults) -> Response:
    asked = request.query_params
    try:
        first, after = min(int(asked.get("limit", "20")), 100), None if faults.repeat_cursor else asked.get("cursor")
        taken, end, more = page(records, "modified", first, after, asked.get("modified_since"), faults.late)
    except BadCursorError:
        return JSONResponse({"error": "cursor"}, status_code=400)
    except ValueError:
        return JSONResponse({"error": "parameter"}, status_code=400)
    if faults.repeat_cursor:
        end, more = "again", True
    if faults.no_cursor:
        end, more = None, True
    link = str(request.url.include_query_params(cursor=end)) if more and end else None
    document = {"applications": taken, "has_more": more, "next_cursor": end, "next": faults.foreign_next or link}
    if faults.null_root:
        document = {"applications": None, "has_more": False, "next_cursor": None, "next": None}
    return JSONResponse(document)
