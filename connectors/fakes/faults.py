"""This module is the switchboard of all fake systems: what goes wrong, from which page on, and for how many requests."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse


@dataclass
class Faults:
    """Switches, all off. They act from the request `after` on (counted from 0) and for `times` requests (None: always).

    `hang` holds an answer back until the event is set, `slow` for some seconds; `redirect` and `foreign_next` are URLs;
    `too_many` and `unavailable` are seconds to wait; `expired` refuses whoever comes with a position; `short` gives
    fewer records than were asked for. Those of the records act always: `late` are ids of records that are written but
    not yet visible, `deleted` of those gone, `doubled` gives each twice, `skew` is by how much the system's clock is
    off, `drift` is a field and what it is called since the new form.
    """

    after: int = 0
    times: int | None = None
    truncate: bool = False
    cut_off: bool = False
    short: bool = False
    errors_with_data: bool = False
    null_root: bool = False
    unauthorized_empty: bool = False
    expired: bool = False
    repeat_cursor: bool = False
    no_cursor: bool = False
    foreign_next: str | None = None
    redirect: str | None = None
    slow: float = 0
    hang: asyncio.Event | None = None
    reset: bool = False
    huge: int = 0
    bomb: int = 0
    not_json: bool = False
    too_many: int | None = None
    unavailable: int | None = None
    late: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    doubled: bool = False
    skew: timedelta = timedelta(0)
    drift: tuple[str, str] | None = None
    requests: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)

    def calm(self) -> "Faults":
        """Give the switches of the records alone."""
        return Faults(late=self.late, deleted=self.deleted, doubled=self.doubled, skew=self.skew, drift=self.drift)

    def active(self) -> bool:
        """Count a request, and say whether the faults act on it."""
        number = self.requests
        self.requests += 1
        self.began.set()
        return number >= self.after and (self.times is None or number < self.after + self.times)


async def answer(
    faults: Faults, page: Callable[[Faults], Awaitable[Response]], *, positioned: bool = False
) -> Response:
    """Answer with the page, or with what the faults make of it; `page` is told the faults that change its content."""
    if not faults.active():
        return await page(faults.calm())
    if faults.slow:
        await asyncio.sleep(faults.slow)
    if faults.hang is not None:
        await faults.hang.wait()
    if faults.expired and positioned:
        return Response("SECRET expired", status_code=410)
    return _instead(faults) or _spoilt(await page(faults), faults)


def _instead(faults: Faults) -> Response | None:
    if faults.unauthorized_empty:
        return Response(status_code=401)
    if faults.redirect is not None:
        return RedirectResponse(faults.redirect, status_code=307)
    for status, pause in ((429, faults.too_many), (503, faults.unavailable)):
        if pause is not None:
            return Response("SECRET upstream trace", status_code=status, headers={"Retry-After": str(pause)})
    return _other_body(faults)


def _other_body(faults: Faults) -> Response | None:
    if faults.not_json:
        return Response("<html>SECRET log-in page</html>", media_type="text/html")
    if faults.huge:
        return StreamingResponse(_blocks(faults.huge), media_type="application/json")
    if faults.bomb:
        return Response(_bomb(faults.bomb), media_type="application/json", headers={"Content-Encoding": "gzip"})
    return None


def _spoilt(page: Response, faults: Faults) -> Response:
    body = bytes(page.body)
    if faults.truncate:
        return Response(body[: len(body) // 2], media_type=page.media_type)
    if faults.cut_off or faults.reset:
        return Broken(body, whole=not faults.reset)
    return page


class Broken(Response):
    """A response that promises more than it sends, or only a status line; the server then drops the connection."""

    def __init__(self, body: bytes, *, whole: bool) -> None:
        super().__init__(body if whole else b"", media_type="application/json")
        self.headers["Content-Length"] = str(len(body) + 1000)


async def _blocks(size: int) -> AsyncIterator[bytes]:
    yield b'{"padding": "'
    for _ in range(0, size, 65_536):
        yield b"x" * 65_536
    yield b'"}'


def _bomb(size: int) -> bytes:
    return gzip.compress(b'{"padding": "' + b" " * size + b'"}')


async def form_of(request: Request) -> dict[str, str]:
    """Read a form of plain fields."""
    return dict(parse_qsl((await request.body()).decode()))


def refused(request: Request, header: str, value: str) -> Response | None:
    """Refuse a request that does not show the right credential."""
    if request.headers.get(header) == value:
        return None
    return JSONResponse({"error": "unauthorized"}, status_code=401)
