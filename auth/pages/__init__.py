"""This package shows pages: templates of its own, one style sheet, one script, and headers that allow nothing else."""

from collections.abc import Collection, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from auth.people import cookies
from auth.people.guard import form_token

FOLDER: Final = Path(__file__).parent
KINDS: Final = {"hub.css": "text/css; charset=utf-8", "hub.js": "text/javascript; charset=utf-8"}
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-create=(self), publickey-credentials-get=(self)",
}
_POLICY: Final = "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def show(
    request: Request, template: str, told: Mapping[str, Any], status: int = 200, *, leads_to: Collection[str] = ()
) -> HTMLResponse:
    """Return a page, with a form token for its forms as `form`, and the cookie that it is tied to.

    `leads_to` are other origins that an answer to one of its forms may redirect to: browsers hold form-action against those too.
    """
    page = _TEMPLATES.get_template(f"{template}.html")
    body = page.render(form=form_token(request), css=address("hub.css"), js=address("hub.js"), **told)
    response = HTMLResponse(body, status, HEADERS)
    response.headers["Content-Security-Policy"] = " ".join([_POLICY, *leads_to])
    if cookie := getattr(request.state, "form_cookie", None):
        cookies.put(response, cookies.FORM, cookie)
    return response


@cache
def address(name: str) -> str:
    """Return where a file is, under an address that changes with it."""
    return f"/pages/{sha256((FOLDER / name).read_bytes()).hexdigest()[:16]}/{name}"


async def _file(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_content(name), headers=headers, media_type=KINDS[name])


@cache
def _content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def routes() -> list[Route]:
    """Return the routes of the style sheet and the script."""
    return [Route(address(name), _file, methods=["GET"]) for name in KINDS]
