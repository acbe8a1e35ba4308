"""This module is the page on which a person lets an app act in their name, or does not (RFC 6749, section 4.1.1).

A browser brings a client id and a request_uri, and nothing else is believed of it: what is asked for was pushed by the app itself.
Nobody is sent anywhere but to the place that was pushed, and only with an answer of whoever is signed in.
"""

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth import pages
from auth.grants import Asked, Grants
from auth.metadata import AUTHORIZE_PATH
from auth.people import Person, forms, sign_in_first, signed_in
from auth.people.door import page, said, see
from auth.scopes import Scope

GONE: Final = "What the app asked for has run out, was answered already, or is not for you. Go back to the app and begin there again."
"""What is said of a request that cannot be answered, whatever the reason."""
Reference = tuple[str, str]
"""A client id and a request_uri."""


def routes(issuer: str, grants: Grants) -> list[Route]:
    """Return the route, by which a person is asked and answers."""

    async def ask(request: Request) -> Response:
        asked = _asked(request.url.query)
        waiting = await grants.waiting(*asked) if asked else None
        if asked is None or waiting is None:
            return _gone(request)
        person = await signed_in(request)
        if person is None:
            return sign_in_first(_path(asked))
        if not waiting.suits(person):
            return sign_in_first(_path(asked), fresh=True)
        told = await grants.opened(*asked, person)
        return _gone(request) if told is None else _shown(request, asked, told, person)

    async def answered(request: Request) -> Response:
        form = await forms.read(request)
        asked = form.get("client_id", ""), form.get("request_uri", "")
        if (person := await signed_in(request)) is None:
            return sign_in_first(_path(asked))
        if form.get("answer") == "yes":
            approved = await grants.approve(*asked, person, form.get("scope", "").split())
            # The page says why not, or asks for the passkey that is missing.
            return _back(issuer, approved[0], approved[1], code=approved[2]) if approved else see(_path(asked))
        refused = await grants.refuse(*asked, person)
        return _back(issuer, *refused, error="access_denied") if refused else see(_path(asked))

    return [
        Route(AUTHORIZE_PATH, page(ask), methods=["GET"]),
        Route(AUTHORIZE_PATH, page(answered), methods=["POST"]),
    ]


def _asked(query: str) -> Reference | None:
    """Read a query that has a client id and a request_uri, once each, and nothing besides."""
    try:
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=2)
    except ValueError:
        return None
    found = dict(given)
    return (found["client_id"], found["request_uri"]) if found.keys() == {"client_id", "request_uri"} else None


def _shown(request: Request, asked: Reference, told: Asked, person: Person) -> Response:
    place = urlsplit(told.redirect_uri)
    shown = {
        "app": told.client,
        "organisation": told.organisation,
        "place": place.hostname,
        "client_id": asked[0],
        "request_uri": asked[1],
        "scopes": [scope for scope in Scope if scope in told.scopes],
        "person": person,
    }
    # A browser holds the page's form-action against where the answer leads, too.
    return pages.show(request, "consent", shown, leads_to=[f"{place.scheme}://{place.netloc}"])


def _gone(request: Request) -> Response:
    return said(request, 400, "This cannot be answered", GONE)


def _path(asked: Reference) -> str:
    return f"{AUTHORIZE_PATH}?{urlencode({'client_id': asked[0], 'request_uri': asked[1]})}"


def _back(issuer: str, redirect_uri: str, state: str | None, **outcome: str) -> Response:
    """Send the browser back to the app; `iss` says from whom (RFC 9207), so that no other server's answer is taken for it."""
    answer = {**outcome, **({} if state is None else {"state": state}), "iss": issuer}
    return see(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}")
