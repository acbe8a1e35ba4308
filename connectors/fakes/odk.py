"""This module is an ODK Central with one form, as far as sessions and its OData go."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, refused
from connectors.fakes.walk import Layout, Raw

LAYOUT = Layout(("__id",), ("__system", "updatedAt"))
USER = "hub@icorn.example"
_SESSION = "inventedSession!64"
_PATH = "/v1/projects/1/forms/referral.svc/Submissions"
SETTINGS: dict[str, Any] = {
    "url": "https://odk.example/v1/projects/1/forms/referral.svc",
    "auth": {"scheme": "login", "user": USER, "secret": "odk-password"},
}
MAPPING: dict[str, Any] = {
    "sourceId": "__id",
    "submittedAt": "__system.submissionDate",
    "updatedAt": "__system.updatedAt || __system.submissionDate",
    "discipline": {"path": "work.kind", "table": {"press": "JOURNALIST"}, "default": "OTHER"},
    "person": {"identity": {"givenName": "person.given_name"}, "threat": {"summary": "what_happened"}},
}


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve submissions to whoever opened a session with `token` as the password."""
    switches = faults or Faults()

    async def sessions(request: Request) -> Response:
        told = await request.json()
        if (told.get("email"), told.get("password")) != (USER, token):
            return JSONResponse({"code": 401.2, "message": "Could not authenticate."}, status_code=401)
        return JSONResponse({"token": _SESSION, "expiresAt": "2126-01-01T00:00:00.000Z"})

    async def submissions(request: Request) -> Response:
        async def body(active: Faults) -> Response:
            return _page(records, request, active)

        positioned = "$skiptoken" in request.query_params
        shown = refused(request, "Authorization", f"Bearer {_SESSION}")
        return shown or await answer(switches, body, positioned=positioned)

    return Starlette(routes=[Route("/v1/sessions", sessions, methods=["POST"]), Route(_PATH, submissions)])


def _page(records: Sequence[Raw], request: Request, faults: Faults) -> Response:
    asked = request.query_params
    rows = sorted(LAYOUT.seen(records, faults), key=lambda raw: str(raw["__id"]))
    if "$filter" in asked:
        since = datetime.fromisoformat(asked["$filter"].rpartition(" ge ")[2].rstrip(")"))
        rows = [raw for raw in rows if LAYOUT.moment_of(raw) >= since]
    behind = "" if faults.repeat_cursor else _read(asked.get("$skiptoken", ""))
    left = [raw for raw in rows if str(raw["__id"]) > behind]
    top = int(asked["$top"]) if "$top" in asked else len(left)
    taken = left[: max(1, top // 2) if faults.short else top]
    document: dict[str, Any] = {
        "@odata.context": str(request.url.replace(query="").replace(path="$metadata")),
        "value": None if faults.null_root else taken,
    }
    if asked.get("$count") == "true":
        document["@odata.count"] = len(rows)
    more = len(left) > len(taken) or faults.repeat_cursor
    if more and taken and not faults.no_cursor:
        token = urlsafe_b64encode(str(taken[-1]["__id"]).encode()).decode()
        link = request.url.remove_query_params("$skiptoken").include_query_params(**{"$skiptoken": f"01{token}"})
        document["@odata.nextLink"] = faults.foreign_next or str(link)
    return JSONResponse(document, headers={"OData-Version": "4.0"})


def _read(token: str) -> str:
    return urlsafe_b64decode(token.removeprefix("01").encode()).decode()


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a submission; one made again is an edit, which keeps its id."""
    moment = changed.isoformat()
    return {
        "__id": f"uuid:{ident}",
        "__system": {
            "submissionDate": moment,
            "updatedAt": moment,
            "deletedAt": None,
            "submitterId": "7",
            "submitterName": "invented",
            "attachmentsPresent": 0,
            "attachmentsExpected": 0,
            "status": None,
            "reviewState": None,
            "deviceId": None,
            "edits": 1,
            "formVersion": "1",
        },
        "person": {"given_name": name},
        "work": {"kind": "press"},
        "what_happened": "Invented.",
    }
