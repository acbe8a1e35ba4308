"""This module is the pages by which somebody comes in and goes: sign-in, an invitation, sign-out."""

from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth import pages
from auth.people import cookies, forms, guard
from auth.people.door import page, see, strangers_page

INVITATION: Final = "/invitation"


async def sign_in(request: Request) -> Response:
    """Ask for a passkey; whoever is signed in already goes on, unless it is to be shown again."""
    then, fresh = guard.own_path(request.query_params.get("then")), request.query_params.get("fresh") == "1"
    person = await guard.signed_in(request)
    if person and not fresh:
        return see(then)
    people = guard.people_of(request)
    known = await people.passkeys.of(person.user) if person else ()
    options = people.passkeys.to_sign_in(guard.holder(request), known)
    told = {
        "options": options,
        "then": then,
        "fresh": fresh,
        "person": person,
        "has_name": people.has_name,
        "through": people.openid is not None and (person is None or await people.identities.has(person.user)),
    }
    return pages.show(request, "sign_in", told)


async def sign_in_posted(request: Request) -> Response:
    """Let in whoever shows a passkey."""
    form = await forms.read(request)
    then, fresh = guard.own_path(form.get("then")), form.get("fresh") == "1"
    request.state.retry = f"{guard.SIGN_IN}?{urlencode({'then': then, 'fresh': int(fresh)})}"
    people = guard.people_of(request)
    again = await guard.signed_in(request) if fresh else None
    user = await people.passkeys.user(form.get("credential", ""), guard.holder(request), again)
    return await _let_in(request, user, then)


async def sign_out(request: Request) -> Response:
    """End the session, here and for all processes."""
    await forms.read(request)
    if cookie := cookies.read(request, cookies.SESSION):
        await guard.people_of(request).sessions.end(cookie)
    response = see(guard.SIGN_IN)
    cookies.drop(response, cookies.SESSION)
    return response


async def invitation(request: Request) -> Response:
    """Ask for an invitation; the script takes it from behind #."""
    return pages.show(request, "invitation", {})


async def invitation_posted(request: Request) -> Response:
    """Show who an invitation is for, and ask their device for a passkey."""
    request.state.retry = INVITATION
    form = await forms.read(request)
    people, token = guard.people_of(request), _token(form)
    guest = await people.joining.guest(token)
    options = people.passkeys.to_make(guard.holder(request), guest.user, guest.account)
    told = {
        "guest": guest,
        "options": options,
        "invitation": token,
        "has_name": people.has_name,
        "through": people.openid is not None and guest.has_provider,
    }
    return pages.show(request, "joining", told)


async def joined(request: Request) -> Response:
    """Make the guest a user, with the passkey that their device made, and let them in."""
    request.state.retry = INVITATION
    form = await forms.read(request)
    people, token = guard.people_of(request), _token(form)
    guest = await people.joining.guest(token)
    new = people.passkeys.made(form.get("credential", ""), guard.holder(request), guest.user)
    await people.joining.accept(token, guest, new, form.get("label", ""))
    return await _let_in(request, guest.user, guard.HOME)


async def _let_in(request: Request, user: str, then: str) -> Response:
    """Begin a session: a new one, whatever cookie the browser had and whoever put it there."""
    cookie = await guard.people_of(request).sessions.begin(user, replacing=cookies.read(request, cookies.SESSION))
    response = see(then)
    cookies.put(response, cookies.SESSION, cookie)
    cookies.drop(response, cookies.FORM)
    return response


def _token(form: dict[str, str]) -> str:
    """Return the secret of an invitation, also from a whole link that was pasted."""
    return form.get("invitation", "").rpartition("#")[2].strip()


def routes() -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(guard.SIGN_IN, page(sign_in), methods=["GET"]),
        Route(guard.SIGN_IN, strangers_page(sign_in_posted), methods=["POST"]),
        Route("/sign-out", page(sign_out), methods=["POST"]),
        Route(INVITATION, page(invitation), methods=["GET"]),
        Route(INVITATION, strangers_page(invitation_posted), methods=["POST"]),
        Route(f"{INVITATION}/passkey", strangers_page(joined), methods=["POST"]),
    ]
