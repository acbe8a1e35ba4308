"""This module is a Primero v2, as far as logging in and reading cases and referrals go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, refused
from connectors.fakes.walk import Layout, Raw

LAYOUT = Layout(("id",), ("last_updated_at",))
USER = "hub"
_LARGEST = 1000
_TOKEN = "header.invented.signature"  # noqa: S105 (nothing opens with it)
SETTINGS: dict[str, Any] = {
    "url": "https://primero.example/api/v2",
    "auth": {"scheme": "login", "user": USER, "secret": "primero-password"},
    "since": "last_updated_at",
    "referrals": True,
}
MAPPING: dict[str, Any] = {
    "sourceId": "id",
    "submittedAt": "created_at",
    "updatedAt": "last_updated_at",
    "riskLevel": {"path": "risk_level", "table": {"low": "LOW", "medium": "MODERATE", "high": "HIGH"}},
    "urgency": {"path": "referrals[0].service", "table": {"relocation": "URGENT"}, "default": "ROUTINE"},
    "person": {"identity": {"givenName": "name_first", "gender": "sex"}, "health": {"needs": "needs"}},
}


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve cases and their referrals to who logged in with `token` as the password."""
    switches = faults or Faults()

    async def log_in(request: Request) -> Response:
        told = (await request.json()).get("user", {})
        if (told.get("user_name"), told.get("password")) != (USER, token):
            return JSONResponse({"error": "Invalid User name or password."}, status_code=401)
        return JSONResponse({"user_name": USER}, headers={"Authorization": f"Bearer {_TOKEN}"})

    async def cases(request: Request) -> Response:
        async def body(active: Faults) -> Response:
            return _page(records, request, active)

        positioned = request.query_params.get("page", "1") != "1"
        shown = refused(request, "Authorization", f"Bearer {_TOKEN}")
        return shown or await answer(switches, body, positioned=positioned)

    async def referrals(request: Request) -> Response:
        case = request.path_params["case"]
        one = {"id": f"referral-{case}", "type": "Referral", "record_id": case, "record_type": "Child", "service": "relocation"}  # fmt: skip
        return refused(request, "Authorization", f"Bearer {_TOKEN}") or JSONResponse({"data": [one]})

    return Starlette(
        routes=[
            Route("/api/v2/tokens", log_in, methods=["POST"]),
            Route("/api/v2/cases", cases),
            Route("/api/v2/cases/{case}/referrals", referrals),
        ]
    )


def _page(records: Sequence[Raw], request: Request, faults: Faults) -> Response:
    asked = request.query_params
    number, per = int(asked.get("page", "1")), min(int(asked.get("per", "20")), _LARGEST)
    field, back = asked.get("order_by", "created_at"), asked.get("order", "desc") == "desc"
    rows = sorted(LAYOUT.seen(records, faults), key=lambda raw: (raw[field], raw["id"]), reverse=back)
    if "last_updated_at" in asked:
        since = datetime.fromisoformat(asked["last_updated_at"].partition("..")[0])
        rows = [raw for raw in rows if LAYOUT.moment_of(raw) >= since]
    start = 0 if faults.repeat_cursor else (number - 1) * per
    taken = rows[start : start + (max(1, per // 2) if faults.short else per)]
    data = None if faults.null_root else [] if faults.no_cursor else taken
    return JSONResponse({"data": data, "metadata": {"total": len(rows), "per": per, "page": number}})


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a case."""
    return {
        "id": ident,
        "case_id_display": f"f15a{ident}",
        "created_at": f"2026-01-0{int(ident) % 9 + 1}T08:00:00.000Z",
        "last_updated_at": changed.isoformat(),
        "name_first": name,
        "sex": "female",
        "risk_level": "high",
        "owned_by": "invented_worker",
    }
