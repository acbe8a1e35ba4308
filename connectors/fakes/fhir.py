"""This module is a FHIR R4 server, as far as SMART Backend Services and searching for service requests go."""

import json
from collections.abc import Sequence
from datetime import datetime
from time import time
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, form_of, refused
from connectors.fakes.walk import BadCursorError, Layout, Raw, page

LAYOUT = Layout(("id",), ("meta", "lastUpdated"))
CLIENT = "icorn-hub"
_TOKEN = "invented-access-token"  # noqa: S105 (nothing opens with it)
_KNOWN = frozenset({"_count", "_sort", "_lastUpdated", "_include", "_revinclude", "status", "category"})
SETTINGS: dict[str, Any] = {
    "url": "https://fhir.example/r4",
    "auth": {"scheme": "smart", "tokenUrl": "https://fhir.example/token", "clientId": CLIENT, "secret": "fhir-key"},
    "resource": "ServiceRequest",
    "parameters": {"status": "active"},
    "include": ["ServiceRequest:subject"],
    "revinclude": ["Task:focus"],
}
MAPPING: dict[str, Any] = {
    "sourceId": "resource.id",
    "submittedAt": "resource.authoredOn",
    "updatedAt": "resource.meta.lastUpdated",
    "urgency": {
        "path": "resource.priority",
        "table": {"routine": "ROUTINE", "urgent": "URGENT", "asap": "URGENT", "stat": "EMERGENCY"},
    },
    "person": {
        "identity": {
            "givenName": "included.Patient[0].name[0].given[0]",
            "familyName": "included.Patient[0].name[0].family",
            "bornOn": "included.Patient[0].birthDate",
        },
        "health": {"needs": "resource.note[0].text"},
    },
}


def app(records: Sequence[Raw], key: str, faults: Faults | None = None) -> Starlette:
    """Serve requests with their patients and tasks to the client whose private key this is."""
    switches = faults or Faults()
    seen: set[str] = set()

    async def token(request: Request) -> Response:
        form = await form_of(request)
        if _proven(str(form.get("client_assertion")), key, str(request.url), seen):
            return JSONResponse(
                {"access_token": _TOKEN, "token_type": "bearer", "expires_in": 300, "scope": form["scope"]}
            )
        return JSONResponse({"error": "invalid_client"}, status_code=401)

    async def search(request: Request) -> Response:
        async def body(active: Faults) -> Response:
            return _bundle(records, request, active)

        positioned = "_page" in request.query_params
        shown = refused(request, "Authorization", f"Bearer {_TOKEN}")
        return shown or await answer(switches, body, positioned=positioned)

    return Starlette(routes=[Route("/token", token, methods=["POST"]), Route("/r4/ServiceRequest", search)])


def _proven(assertion: str, key: str, audience: str, seen: set[str]) -> bool:
    """Check an assertion as SMART Backend Services say: for this URL, for five minutes at most, and once."""
    try:
        read = jwt.decode(assertion, JWKRegistry.import_key(json.loads(key)), algorithms=["ES384", "RS384"])
    except (JoseError, ValueError):
        return False
    claims = read.claims
    fresh = time() < claims.get("exp", 0) <= time() + 300 and claims.get("jti") not in seen
    seen.add(str(claims.get("jti")))
    return fresh and claims.get("iss") == claims.get("sub") == CLIENT and claims.get("aud") == audience


def _bundle(records: Sequence[Raw], request: Request, faults: Faults) -> Response:
    asked = request.query_params
    first = int(asked.get("_count", "20"))
    since = asked["_lastUpdated"].removeprefix("ge") if "_lastUpdated" in asked else None
    after = None if faults.repeat_cursor else asked.get("_page")
    rows = LAYOUT.seen(records, faults)
    try:
        taken, end, more = page(rows, LAYOUT, max(1, first // 2) if faults.short else first, after, since)
        total = len(page(rows, LAYOUT, len(rows) + 1, None, since)[0])
    except BadCursorError:
        return JSONResponse({"resourceType": "OperationOutcome", "issue": []}, status_code=400)
    known = [(name, value) for name, value in asked.multi_items() if name in _KNOWN]
    links = [{"relation": "self", "url": str(request.url.replace(query="").include_query_params(**dict(known)))}]
    if faults.repeat_cursor:
        end, more = "again", True
    if more and not faults.no_cursor:
        following = faults.foreign_next or str(request.url.include_query_params(_page=end))
        links.append({"relation": "next", "url": following})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    bundle["entry"] = (
        None if faults.null_root else [entry for raw in taken for entry in _entries(raw, str(request.url))]
    )
    if faults.errors_with_data:
        issue = {"severity": "error", "code": "incomplete", "diagnostics": "SECRET stack trace"}
        outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
        bundle["entry"].append({"resource": outcome, "search": {"mode": "outcome"}})
    return JSONResponse(bundle, media_type="application/fhir+json")


def _entries(raw: Raw, url: str) -> list[dict[str, Any]]:
    resource, patient = {name: value for name, value in raw.items() if name != "_patient"}, raw.get("_patient")
    task = {
        "resourceType": "Task",
        "id": f"task-{raw['id']}",
        "status": "requested",
        "intent": "order",
        "focus": {"reference": f"ServiceRequest/{raw['id']}"},
    }
    base = url.partition("/ServiceRequest")[0]
    return [
        {
            "fullUrl": f"{base}/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match" if each is resource else "include"},
        }
        for each in (resource, patient, task)
        if each is not None
    ]


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a request, with the patient it is about."""
    patient = {"resourceType": "Patient", "id": f"p{ident}", "name": [{"family": "Invented", "given": [name]}]}
    return {
        "resourceType": "ServiceRequest",
        "id": ident,
        "meta": {"versionId": f"{changed.timestamp():.0f}", "lastUpdated": changed.isoformat()},
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "subject": {"reference": f"Patient/p{ident}"},
        "authoredOn": changed.isoformat(),
        "_patient": patient,
    }
