"""This module is the pages by which somebody signs in through their organisation's own OpenID provider."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth import pages
from auth.people import cookies, forms, guard
from auth.people.door import page, see, strangers_page
from auth.people.place import STEP_UP
from auth.people.provider import Begun, begun
from auth.people.refusals import Refusal, RefusedError
from auth.people.sessions import LONGEST

THROUGH: Final = "/sign-in/through"


async def ask(request: Request) -> Response:
    """Ask which organisation somebody works for."""
    then = guard.own_path(request.query_params.get("then"))
    return pages.show(request, "through", {"then": then})


async def begin(request: Request) -> Response:
    """Show a link to the organisation's provider. A link, for a form may lead nowhere else; and one sees where it goes."""
    form = await forms.read(request)
    people, then = guard.people_of(request), guard.own_path(form.get("then"))
    request.state.retry = guard.SIGN_IN
    if people.openid is None:
        raise RefusedError(Refusal.PROVIDER_UNKNOWN)
    now, invitation = people.clock(), form.get("invitation", "")
    again = await guard.signed_in(request) if form.get("fresh") == "1" else None
    if again:
        provider = await people.identities.provider(organisation=again.organisation)
        started, age = begun(provider.code, then, now, user=again.user, since=now - STEP_UP), 0
    elif invitation:
        guest = await people.joining.guest(invitation)
        provider = await people.identities.provider(organisation=guest.organisation_id)
        started, age = begun(provider.code, guard.HOME, now, invitation=invitation), LONGEST
    else:
        provider = await people.identities.provider(form.get("organisation", "").strip().lower())
        started, age = begun(provider.code, then, now), LONGEST
    link = await people.openid.begin(provider, started, age)
    response = pages.show(request, "go_through", {"link": link, "host": urlsplit(link).hostname})
    cookies.put(response, cookies.THROUGH, _sealed(request, started), seconds=600)
    return response


async def back(request: Request) -> Response:
    """Let in whoever the provider vouches for: in this browser, once, and as the user that the invitation linked."""
    people = guard.people_of(request)
    request.state.retry = guard.SIGN_IN
    started = _opened(request)
    answer = dict(request.query_params)
    if people.openid is None or len(answer) != len(request.query_params.multi_items()):
        raise RefusedError(Refusal.PROVIDER_REFUSED)
    if started.code != request.path_params["code"] or people.clock() > started.until:
        raise RefusedError(Refusal.PROVIDER_REFUSED)
    provider = await people.identities.provider(started.code)
    subject = await people.openid.subject(provider, started, answer)
    if started.invitation:
        user = await people.identities.link(provider, subject, started.invitation)
    else:
        user = await people.identities.user(provider, subject)
    if started.user and user != started.user:
        raise RefusedError(Refusal.OTHER_PERSON)
    had = cookies.read(request, cookies.SESSION)
    cookie = await people.sessions.begin(user, replacing=had, through=subject.authenticated_at)
    response = see(started.then)
    cookies.put(response, cookies.SESSION, cookie)
    for name in (cookies.FORM, cookies.THROUGH):
        cookies.drop(response, name)
    return response


def _sealed(request: Request, started: Begun) -> str:
    sealed = guard.people_of(request).through_box.encrypt(msgspec.json.encode(started))
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _opened(request: Request) -> Begun:
    """Return what this browser began; a cookie that is not ours, or none, began nothing."""
    text = cookies.read(request, cookies.THROUGH, longest=4000) or ""
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(guard.people_of(request).through_box.decrypt(sealed), type=Begun)
    except ValueError:
        raise RefusedError(Refusal.PROVIDER_REFUSED) from None


def routes() -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(THROUGH, page(ask), methods=["GET"]),
        Route(THROUGH, strangers_page(begin), methods=["POST"]),
        Route(f"{THROUGH}/{{code}}", strangers_page(back), methods=["GET"]),
    ]
