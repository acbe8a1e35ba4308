"""This module reads posted forms: of the hub's own, small, and with no field twice."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from auth.people.guard import form_token_fits
from auth.people.refusals import Refusal, RefusedError

LARGEST: Final = 65_536
"""Bytes; an attestation is the largest thing that a form of ours carries."""
_TYPE: Final = "application/x-www-form-urlencoded"


async def read(request: Request) -> dict[str, str]:
    """Return the fields of a form that the hub showed in this browser; raise RefusedError for any other."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise RefusedError(Refusal.BAD_FORM)
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise RefusedError(Refusal.BAD_FORM) from None
    form = dict(fields)
    if kind != _TYPE or len(form) != len(fields) or not form_token_fits(request, form.get("form", "")):
        raise RefusedError(Refusal.BAD_FORM)
    return form
