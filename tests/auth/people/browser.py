"""A browser without script or eyes: it keeps cookies, reads the forms of a page, and sends them."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2

from tests.auth.kit import ISSUER
from tests.auth.people.authenticator import Device


@dataclass
class Form:
    """A form as the page has it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Gather forms and their fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given["action"], options=json.loads(given.get("data-options") or "{}")))
        elif tag == "input" and self.found and "name" in given:
            self.found[-1].fields[given["name"]] = given.get("value", "")


@dataclass
class Browser:
    """One person's browser, with the device at hand."""

    http: httpx2.AsyncClient
    device: Device = field(default_factory=Device)
    page: httpx2.Response | None = None

    async def open(self, path: str) -> httpx2.Response:
        """Open a page, following where it leads within the hub."""
        self.page = await self.http.get(ISSUER + path, follow_redirects=True)
        return self.page

    def forms(self) -> list[Form]:
        """Return the forms of the page."""
        assert self.page is not None
        parser = _Forms()
        parser.feed(self.page.text)
        return parser.found

    def form(self, action: str) -> Form:
        """Return the first form of the page that goes to `action`."""
        return next(form for form in self.forms() if form.action == action)

    async def send(self, form: Form, /, *, to: str = "", site: str = "same-origin", **changes: str) -> httpx2.Response:
        """Send a form, somewhere else and with other fields if told; the answer, a redirect too, is returned as it is."""
        sent = {"sec-fetch-site": site} if site else {}
        return await self.http.post(ISSUER + (to or form.action), data={**form.fields, **changes}, headers=sent)

    async def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """Go on from a form's answer, as a browser does."""
        self.page = (
            await self.http.get(ISSUER + answer.headers["location"], follow_redirects=True)
            if answer.is_redirect
            else answer
        )
        return self.page

    async def submit(self, action: str, **changes: str) -> httpx2.Response:
        """Send a form of the page and go on from there."""
        return await self.follow(await self.send(self.form(action), **changes))

    async def offer(self, invitation: str) -> httpx2.Response:
        """Come with an invitation, as a link or without what stands before the #."""
        await self.open("/invitation")
        return await self.submit("/invitation", invitation=invitation)

    async def join(self, invitation: str, label: str = "laptop") -> httpx2.Response:
        """Begin with an invitation: make a passkey, and be in."""
        await self.offer(invitation)
        return await self.make("/invitation/passkey", label)

    async def make(self, action: str, label: str = "laptop") -> httpx2.Response:
        """Make a passkey for the form of the page."""
        return await self.submit(action, label=label, credential=self.device.create(self.form(action).options))

    async def show_passkey(self) -> httpx2.Response:
        """Show a passkey on the sign-in page that is open."""
        return await self.submit("/sign-in", credential=self.device.get(self.form("/sign-in").options))

    async def sign_in(self, then: str = "/account") -> httpx2.Response:
        """Sign in, and go on to a page."""
        await self.open(f"/sign-in?then={then}")
        return await self.show_passkey()

    def cookie(self, name: str = "__Host-hub-session") -> str | None:
        """Return a cookie's value."""
        value: str | None = self.http.cookies.get(name)
        return value
