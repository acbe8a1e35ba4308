"""This module is the page on which somebody looks after their own passkeys and sessions."""

from base64 import urlsafe_b64decode
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth import pages
from auth.people import forms, guard
from auth.people.door import persons_page, see
from auth.people.person import Person

NEW: Final = f"{guard.HOME}/passkeys/new"


async def account(request: Request, person: Person) -> Response:
    """Show somebody their passkeys, and whether an admin says that they were lost."""
    people = guard.people_of(request)
    told = {
        "person": person,
        "here": "account",
        "passkeys": await people.passkeys.of(person.user),
        "through": await people.identities.has(person.user),
        "recovery": await people.recoveries.about(person.user),
    }
    return pages.show(request, "account", told)


async def new_passkey(request: Request, person: Person) -> Response:
    """Ask a device for one more passkey."""
    people = guard.people_of(request)
    known = await people.passkeys.of(person.user)
    options = people.passkeys.to_make(guard.holder(request), person.user, person.account, known)
    told = {"person": person, "here": "account", "options": options, "has_name": people.has_name}
    return pages.show(request, "add_passkey", told)


async def passkey_made(request: Request, person: Person) -> Response:
    """Keep the passkey that the device made."""
    request.state.retry = NEW
    form = await forms.read(request)
    people = guard.people_of(request)
    new = people.passkeys.made(form.get("credential", ""), guard.holder(request), person.user)
    await people.passkeys.add(person, new, form.get("label", ""))
    return see(guard.HOME)


async def remove_passkey(request: Request, person: Person) -> Response:
    """Remove a passkey, unless it is the last one."""
    form = await forms.read(request)
    name = form.get("passkey", "")
    try:
        credential_id = urlsafe_b64decode(name + "=" * (-len(name) % 4))
    except ValueError:
        credential_id = b""
    await guard.people_of(request).passkeys.remove(person, credential_id)
    return see(guard.HOME)


async def end_sessions(request: Request, person: Person) -> Response:
    """End every session of the person but this one."""
    await forms.read(request)
    await guard.people_of(request).sessions.end_others(person)
    return see(guard.HOME)


def routes() -> list[Route]:
    """Return the routes of this page. What changes the ways in asks for a passkey anew."""
    return [
        Route(guard.HOME, persons_page(account), methods=["GET"]),
        Route(NEW, persons_page(new_passkey, fresh=True), methods=["GET"]),
        Route(NEW, persons_page(passkey_made, fresh=True), methods=["POST"]),
        Route(f"{guard.HOME}/passkeys/remove", persons_page(remove_passkey, fresh=True), methods=["POST"]),
        Route(f"{guard.HOME}/sessions/end", persons_page(end_sessions), methods=["POST"]),
    ]
