"""This module is a CiviCRM with one entity, as far as reading by APIv4 goes."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, form_of, refused
from connectors.fakes.walk import Layout, Raw


def _local(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", timespec="seconds")


LAYOUT = Layout(("id",), ("modified_date",), _local)
SETTINGS: dict[str, Any] = {
    "url": "https://civi.example/civicrm/ajax/api4",
    "auth": {"scheme": "bearer", "secret": "civi-key"},
    "entity": "Case",
    "select": ["subject", "status_id:name", "created_date", "Referral.Discipline:name", "client.first_name"],
    "where": [["case_type_id:name", "=", "referral"]],
}
MAPPING: dict[str, Any] = {
    "sourceId": "id",
    "updatedAt": "modified_date",
    "submittedAt": "created_date",
    "discipline": {"path": '"Referral.Discipline:name"', "table": {"Poet": "WRITER"}, "default": "OTHER"},
    "urgency": {"path": '"status_id:name"', "table": {"Urgent": "URGENT", "Open": "ROUTINE"}},
    "person": {"identity": {"givenName": '"client.first_name"'}},
}
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda mine, theirs: bool(mine == theirs),
    ">": lambda mine, theirs: bool(mine > theirs),
    ">=": lambda mine, theirs: bool(mine >= theirs),
}


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve cases to whoever shows the key; a JSON body has no `params` and so asks for nothing."""
    switches = faults or Faults()

    async def endpoint(request: Request) -> Response:
        form = await form_of(request)
        params = json.loads(str(form.get("params", "{}")))

        async def body(active: Faults) -> Response:
            return _page(records, params, active)

        if request.headers.get("X-Requested-With") != "XMLHttpRequest":
            return JSONResponse({"error_code": 400, "error_message": "SECURITY ALERT"}, status_code=400)
        positioned = any(clause[0] == "id" for clause in params.get("where", []))
        shown = refused(request, "X-Civi-Auth", f"Bearer {token}")
        return shown or await answer(switches, body, positioned=positioned)

    return Starlette(routes=[Route("/civicrm/ajax/api4/Case/get", endpoint, methods=["POST"])])


def _page(records: Sequence[Raw], params: dict[str, Any], faults: Faults) -> Response:
    if faults.errors_with_data:
        return JSONResponse({"error_code": "1", "error_message": "SECRET Sorry an error occurred", "status": 500})
    where = [clause for clause in params.get("where", []) if not (faults.repeat_cursor and clause[0] == "id")]
    rows = [raw for raw in LAYOUT.seen(records, faults) if _fits(raw, where)]
    for name in reversed(list(params.get("orderBy", {}))):
        rows = sorted(rows, key=lambda raw: raw[name])
    limit = params.get("limit") or len(rows)
    limit = max(1, limit // 2) if faults.short else limit
    select = params.get("select", ["*"])
    taken = [{name: value for name, value in raw.items() if name in select or "*" in select} for raw in rows[:limit]]
    answered = {
        "values": None if faults.null_root else [] if faults.no_cursor else taken,
        "entity": "Case",
        "action": "get",
        "debug": None,
        "version": 4,
        "count": len(taken),
        "countFetched": len(taken),
    }
    if "row_count" in select:
        answered["countMatched"] = len(rows)
    return JSONResponse(answered)


def _fits(raw: Raw, where: list[Any]) -> bool:
    return all(_COMPARED[operator](raw.get(name), value) for name, operator, value in where)


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a case."""
    moment = _local(changed.astimezone(UTC))
    return {
        "id": int(ident),
        "subject": "Invented",
        "case_type_id:name": "referral",
        "status_id:name": "Urgent",
        "created_date": moment,
        "modified_date": moment,
        "Referral.Discipline:name": "Poet",
        "client.first_name": name,
    }
