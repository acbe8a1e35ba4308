"""This module lists every page for people, all of them relative to the issuer."""

from starlette.routing import Route

from auth import pages
from auth.people import account, colleagues, signing_in, through


def routes() -> list[Route]:
    """Return the routes; the application keeps a `People` at `app.state.people` for them."""
    return [*signing_in.routes(), *through.routes(), *account.routes(), *colleagues.routes(), *pages.routes()]
