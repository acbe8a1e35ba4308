"""This module stands before every page: it slows down strangers who keep failing, and answers when something is amiss."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import asyncpg
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth import pages
from auth.people import guard
from auth.people.person import Person
from auth.people.refusals import Refusal, RefusedError
from auth.strangers import Address

Page = Callable[[Request], Awaitable[Response]]
PersonsPage = Callable[[Request, Person], Awaitable[Response]]
log = structlog.get_logger(__name__)
_UNREACHABLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
TRY_AGAIN: Final = "That did not work, and nothing was changed. Try again; if it keeps failing, speak to an admin of your organisation."
UNUSABLE: Final = "This invitation cannot be used: it was used already, was replaced, ran out, or is not whole. Ask for a new one, and if it was used and not by you, say so at once."
"""What is said of a refusal, whatever its reason: whoever tries learns nothing from it."""


def page(answer: Page) -> Page:
    """Answer for a page also when it cannot: refused, without its database, or at fault."""

    async def whole(request: Request) -> Response:
        try:
            return await answer(request)
        except RefusedError as refused:
            log.warning("people.refused", code=refused.code.value)
            text = UNUSABLE if refused.code is Refusal.INVITATION_UNUSABLE else TRY_AGAIN
            return said(
                request, HTTPStatus.BAD_REQUEST, "That did not work", text, getattr(request.state, "retry", None)
            )
        except _UNREACHABLE as error:
            log.error("people.database_unavailable", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
            return said(
                request,
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Not now",
                "The hub cannot answer at the moment. Try again in a minute.",
            )
        except Exception:
            log.exception("people.fault")
            return said(
                request,
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "Something went wrong",
                "The hub failed at this, and the fault is noted.",
            )

    return whole


def strangers_page(answer: Page) -> Page:
    """Let strangers try, but not for ever: whoever keeps failing waits, by where the attempts come from and not by whom they name."""

    async def counted(request: Request) -> Response:
        strangers, address = guard.people_of(request).strangers, caller(request)
        if wait := strangers.wait(address):
            response = said(
                request,
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many attempts",
                "From where you are, too many attempts failed. Wait a little, and try again.",
            )
            response.headers["Retry-After"] = str(wait)
            return response
        try:
            response = await answer(request)
        except RefusedError:
            strangers.failed(address)
            raise
        if response.status_code == HTTPStatus.SEE_OTHER:
            strangers.proved(address)
        return response

    return page(counted)


def persons_page(answer: PersonsPage, *, fresh: bool = False, admin: bool = False) -> Page:
    """Ask for somebody who is signed in: with `fresh`, since a moment ago; with `admin`, somebody who looks after others."""

    async def checked(request: Request) -> Response:
        person = await guard.signed_in(request)
        # What was posted is not done after signing in: the page is shown instead, to post it anew.
        back = request.url.path if request.method == "GET" else guard.HOME
        if person is None:
            return guard.sign_in_first(back)
        if admin and not person.is_admin:
            return said(request, HTTPStatus.FORBIDDEN, "Not for you", "This page is for the admins of an organisation.")
        if fresh and not guard.is_fresh(request, person):
            return guard.sign_in_first("/people" if admin else back, fresh=True)
        return await answer(request, person)

    return page(checked)


def caller(request: Request) -> Address | None:
    """Return the address that a request comes from."""
    peer = request.client.host if request.client else None
    return guard.people_of(request).strangers.caller(peer, request.headers.getlist("x-forwarded-for"))


def said(request: Request, status: int, title: str, text: str, retry: str | None = None) -> Response:
    """Return a page that says one thing, and where to go from there."""
    way = (retry, "Try again") if retry else (guard.HOME, "Go to your account")
    return pages.show(request, "said", {"title": title, "text": text, "way": way}, status)


def see(where: str) -> Response:
    """Send the browser on after a form; 303, so that a reload posts nothing again."""
    return RedirectResponse(where, 303, pages.HEADERS)
