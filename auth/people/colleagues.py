"""This module is the page on which admins help a colleague who has lost every passkey."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth import pages
from auth.people import forms, guard
from auth.people.door import persons_page, said, see
from auth.people.person import Person

PEOPLE: Final = "/people"
_NO: Final = "This cannot be done now: somebody else was faster, too much time has passed, or it is not yours to do."


async def people(request: Request, person: Person) -> Response:
    """Show an admin whom they look after."""
    colleagues = await guard.people_of(request).recoveries.seen(person.user)
    return pages.show(request, "people", {"person": person, "here": "people", "colleagues": colleagues})


async def ask(request: Request, person: Person) -> Response:
    """Ask for a new invitation for a colleague."""
    user = _id(await forms.read(request), "user")
    done = bool(user) and await guard.people_of(request).recoveries.ask(person.user, user)
    return _after(request, PEOPLE, done=done)


async def confirm(request: Request, person: Person) -> Response:
    """Confirm what another admin asked for."""
    recovery = _id(await forms.read(request), "recovery")
    done = bool(recovery) and await guard.people_of(request).recoveries.confirm(person.user, recovery)
    return _after(request, PEOPLE, done=done)


async def stop(request: Request, person: Person) -> Response:
    """Stop a request: as an admin, or as the person it is about."""
    recovery = _id(await forms.read(request), "recovery")
    done = bool(recovery) and await guard.people_of(request).recoveries.stop(person.user, recovery)
    return _after(request, PEOPLE if person.is_admin else guard.HOME, done=done)


async def fetch(request: Request, person: Person) -> Response:
    """Show the new invitation to the admin who asked for it, once."""
    known = guard.people_of(request)
    recovery = _id(await forms.read(request), "recovery")
    invitation = await known.recoveries.fetch(person.user, recovery) if recovery else None
    if invitation is None:
        return said(request, HTTPStatus.CONFLICT, "Not done", _NO)
    return pages.show(request, "link", {"person": person, "here": "people", "link": invitation.link(known.issuer)})


def _after(request: Request, then: str, *, done: bool) -> Response:
    return see(then) if done else said(request, HTTPStatus.CONFLICT, "Not done", _NO)


def _id(form: dict[str, str], name: str) -> str:
    try:
        return str(UUID(form.get(name, "")))
    except ValueError:
        return ""


def routes() -> list[Route]:
    """Return the routes of this page. Helping somebody to new passkeys asks for one's own anew."""
    return [
        Route(PEOPLE, persons_page(people, admin=True), methods=["GET"]),
        Route(f"{PEOPLE}/ask", persons_page(ask, admin=True, fresh=True), methods=["POST"]),
        Route(f"{PEOPLE}/confirm", persons_page(confirm, admin=True, fresh=True), methods=["POST"]),
        Route(f"{PEOPLE}/fetch", persons_page(fetch, admin=True, fresh=True), methods=["POST"]),
        Route(f"{PEOPLE}/stop", persons_page(stop), methods=["POST"]),
    ]
