"""This module is what a page asks first: who is signed in, where to sign in, and whether a form is the hub's own."""

import hmac
from typing import Final, Protocol, cast
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.people import cookies
from auth.people.person import Person
from auth.people.place import STEP_UP, People

SIGN_IN: Final = "/sign-in"
HOME: Final = "/account"
_LONGEST_PATH: Final = 2000


class _State(Protocol):
    people: People


def people_of(request: Request) -> People:
    """Return what the application keeps at `app.state.people`."""
    return cast("_State", request.app.state).people


async def signed_in(request: Request) -> Person | None:
    """Return who is signed in with this request's cookie, or None."""
    cookie = cookies.read(request, cookies.SESSION)
    return await people_of(request).sessions.person(cookie) if cookie else None


def sign_in_first(continue_to: str, *, fresh: bool = False) -> Response:
    """Send a browser to sign in, and then on to a path of the hub's own (with its query), or to the account page.

    With `fresh`, somebody who is signed in shows a passkey again. 303, never 307: a posted form does not travel on.
    """
    where = f"{SIGN_IN}?then={quote(own_path(continue_to), safe='')}" + ("&fresh=1" if fresh else "")
    return RedirectResponse(where, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def own_path(wanted: str | None) -> str:
    r"""Return a path of the hub's own to go on to; the account page for anything that a browser might take for another place.

    >>> own_path("/oauth/authorize?client_id=a&request_uri=b")
    '/oauth/authorize?client_id=a&request_uri=b'
    >>> own_path("//attacker.example"), own_path("https:attacker.example"), own_path("/\\attacker.example")
    ('/account', '/account', '/account')
    """
    if not wanted or len(wanted) > _LONGEST_PATH or not wanted.isascii() or not wanted.isprintable():
        return HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return HOME
    good = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and " " not in wanted
    return wanted if good and not parts.scheme and not parts.netloc and parts.path != SIGN_IN else HOME


def form_token(request: Request) -> str:
    """Return what a form of this browser carries in its field `form`, so that no other site can post one in its name.

    It is tied to the session, or before there is one to the form cookie, which `auth.pages.show` sets when it is not there.
    """
    return people_of(request).form_token(holder(request))


def form_token_fits(request: Request, token: str) -> bool:
    """Tell whether a posted form is one that the hub showed in this very browser, to whoever is signed in there now."""
    # A browser says where a request comes from; older ones do not, and then the token alone decides.
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    return hmac.compare_digest(form_token(request).encode(), token.encode())


def holder(request: Request) -> str:
    """Return the cookie that a browser is known by: the session's or, before there is one, the form cookie, new if need be."""
    known = cookies.read(request, cookies.SESSION) or cookies.read(request, cookies.FORM)
    if known is None:
        # Decided once in a request, whoever asks first; `auth.pages.show` sends it.
        if not hasattr(request.state, "form_cookie"):
            request.state.form_cookie = cookies.new()
        known = str(request.state.form_cookie)
    return known


def is_fresh(request: Request, person: Person) -> bool:
    """Tell whether a person has shown a passkey a moment ago, as what cannot be undone asks for."""
    return people_of(request).clock() - person.authenticated_at <= STEP_UP
