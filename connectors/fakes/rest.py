"""This module is a sister system with a JSON API: key in a header, every way of paging there is, its own words."""

from collections.abc import Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, refused
from connectors.fakes.walk import BadCursorError, Layout, Raw, page

LAYOUT = Layout(("id",), ("modified",))
_POSITIONS = ("cursor", "page", "offset")


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve `records` (read anew for each request) at GET /api/applications to whoever shows `token` as X-Api-Key."""
    switches = faults or Faults()

    async def endpoint(request: Request) -> Response:
        async def body(active: Faults) -> Response:
            seen = LAYOUT.seen(records, active)
            counted = "page" in request.query_params or "offset" in request.query_params
            return (_counted if counted else _page)(seen, request, active)

        asked = request.query_params
        positioned = "cursor" in asked or asked.get("page", "1") != "1" or asked.get("offset", "0") != "0"
        return refused(request, "X-Api-Key", token) or await answer(switches, body, positioned=positioned)

    return Starlette(routes=[Route("/api/applications", endpoint)])


def _page(records: Sequence[Raw], request: Request, faults: Faults) -> Response:
    asked = request.query_params
    try:
        first, after = _limit(request, faults), None if faults.repeat_cursor else asked.get("cursor")
        taken, end, more = page(records, LAYOUT, first, after, asked.get("modified_since"))
        total = len(page(records, LAYOUT, len(records) + 1, None, asked.get("modified_since"))[0])
    except BadCursorError:
        return JSONResponse({"error": "cursor"}, status_code=400)
    except ValueError:
        return JSONResponse({"error": "parameter"}, status_code=400)
    if faults.repeat_cursor:
        end, more = "again", True
    if faults.no_cursor:
        end, more = None, True
    link = faults.foreign_next or (str(request.url.include_query_params(cursor=end)) if more and end else None)
    document = {"applications": taken, "has_more": more, "next_cursor": end, "next": link, "total": total}
    if faults.null_root:
        document = {"applications": None, "has_more": False, "next_cursor": None, "next": None, "total": 0}
    shown = (
        {"Link": f'<https://elsewhere.example/>; rel="prev", <{link}>; title="more, please"; rel=next'} if link else {}
    )
    return JSONResponse(document, headers=shown)


def _counted(records: Sequence[Raw], request: Request, faults: Faults) -> Response:
    """Page as many systems do: the newest change first, so that whatever changes moves all the others."""
    asked, limit = request.query_params, _limit(request, faults)
    size = int(asked.get("limit", "20"))
    start = int(asked.get("offset", "0")) if "offset" in asked else (int(asked["page"]) - 1) * size
    start = 0 if faults.repeat_cursor else start
    since = datetime.fromisoformat(asked["modified_since"]) if "modified_since" in asked else None
    rows = sorted(
        (raw for raw in records if since is None or LAYOUT.moment_of(raw) >= since),
        key=lambda raw: (LAYOUT.moment_of(raw), LAYOUT.ident_of(raw)),
        reverse=True,
    )
    taken = None if faults.null_root else rows[start : start + limit]
    return JSONResponse({"applications": taken, "total": len(rows), "has_more": start + limit < len(rows)})


def _limit(request: Request, faults: Faults) -> int:
    limit = min(int(request.query_params.get("limit", "20")), 100)
    return max(1, limit // 2) if faults.short else limit


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make an application, shaped as this system has it."""
    return {"id": ident, "modified": changed.isoformat(), "full_name": name, "artform": "music"}
