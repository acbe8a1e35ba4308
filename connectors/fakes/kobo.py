"""This module is a KoboToolbox with one form, as far as its data API goes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, refused
from connectors.fakes.walk import Layout, Raw

FORM = "aInventedForm00000000x"
_LARGEST = 1000


def _naive(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


LAYOUT = Layout(("meta/rootUuid",), ("_submission_time",), _naive)
SETTINGS: dict[str, Any] = {
    "url": f"https://kobo.example/api/v2/assets/{FORM}/data/",
    "auth": {"scheme": "token", "secret": "kobo-token"},
    "doorbell": "kobo-doorbell",
}
MAPPING: dict[str, Any] = {
    "sourceId": "_root",
    "submittedAt": "_submission_time",
    "discipline": {"path": '"person/work"', "table": {"writes": "WRITER", "reports": "JOURNALIST"}, "default": "OTHER"},
    "riskLevel": {"path": "_validation_status.uid", "table": {"validation_status_approved": "HIGH"}},
    "person": {
        "identity": {"givenName": '"person/given_name"', "pseudonyms": {"path": '"person/other_names"', "split": " "}},
        "contact": {
            "channels": {
                "each": "ways",
                "fields": {"kind": '"ways/how"', "address": '"ways/where"', "safe": {"path": '"ways/safe"', "table": {"yes": True, "no": False}, "default": False}},
            },
            "mayContactDirectly": {"value": False},
        },
    },
}  # fmt: skip


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve submissions to whoever shows the token; a page has 100 of them unless asked, and 1,000 at most."""
    switches = faults or Faults()

    async def endpoint(request: Request) -> Response:
        async def body(active: Faults) -> Response:
            return _page(records, request, active)

        positioned = "query" in request.query_params
        shown = refused(request, "Authorization", f"Token {token}")
        return shown or await answer(switches, body, positioned=positioned)

    return Starlette(routes=[Route(f"/api/v2/assets/{FORM}/data/", endpoint)])


def _page(records: Sequence[Raw], request: Request, faults: Faults) -> Response:
    asked = request.query_params
    limit, start = min(int(asked.get("limit", "100")), _LARGEST), int(asked.get("start", "0"))
    limit = max(1, limit // 2) if faults.short else limit
    query = {} if faults.repeat_cursor else json.loads(asked.get("query", "{}"))
    rows = [raw for raw in LAYOUT.seen(records, faults) if _fits(raw, query)]
    if asked.get("sort") == '{"_id":1}':
        rows = sorted(rows, key=lambda raw: int(raw["_id"]))
    taken = rows[start : start + limit]
    if faults.no_cursor:
        taken = []
    more = start + limit < len(rows)
    document = {
        "count": len(rows),
        "next": str(request.url.include_query_params(start=start + limit)) if more else None,
        "previous": None,
        "results": None if faults.null_root else taken,
    }
    return JSONResponse(document)


def _fits(raw: Raw, query: dict[str, Any]) -> bool:
    return all(raw[name] > bound["$gt"] for name, bound in query.items())


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a submission; one made again is an edit, which has another `_uuid` and is of the same root."""
    edition = f"{ident}-{changed.timestamp():.0f}"
    return {
        "_id": int(ident),
        "_uuid": edition,
        "meta/instanceID": f"uuid:{edition}",
        "meta/rootUuid": f"uuid:{ident}",
        "_xform_id_string": FORM,
        "__version__": "vInvented1",
        "_submission_time": _naive(changed.astimezone(UTC)),
        "_submitted_by": None,
        "_status": "submitted_via_web",
        "_validation_status": {},
        "_attachments": [],
        "_geolocation": [None, None],
        "person/given_name": name,
        "person/work": "writes",
        "ways": [{"ways/how": "signal", "ways/where": "+000 0000", "ways/safe": "yes"}],
    }
