"""How tests ask people for consent: where an app sends a browser, whose browser it is, and where the answer goes."""

from urllib.parse import parse_qs, urlencode

import httpx2

from tests.auth.app import App
from tests.auth.kit import ISSUER
from tests.auth.people.browser import Browser

PATH = "/oauth/authorize"


def path(request_uri: str, client_id: str = "pen-app", **more: str) -> str:
    """Return where an app sends a browser."""
    return f"{PATH}?{urlencode({'client_id': client_id, 'request_uri': request_uri, **more})}"


async def somebody(app: App, name: str, organisation: int | None = None, **changes: object) -> Browser:
    """Return the browser of somebody who was invited and has signed in with a passkey."""
    browser = Browser(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.world.app)))
    wanted: dict[str, object] = {"roles": ["PARTNER_STAFF"], "scopes": ["cases:read", "referrals:read"], **changes}
    invited = await app.people.invitations.invite(
        organisation=organisation or app.world.organisation,
        email=f"{name.lower()}@pen.example",
        name=name,
        **wanted,  # type: ignore[arg-type] # as invite has them
    )
    await browser.join(invited.link(ISSUER))
    return browser


def went(answer: httpx2.Response) -> tuple[str, dict[str, str]]:
    """Return where an answer sends the browser, and with which parameters."""
    assert answer.status_code == 303, answer.text
    where, _, query = answer.headers["location"].partition("?")
    return where, {name: value for name, (value,) in parse_qs(query, strict_parsing=True).items()}
