"""This module answers the door: a sister's system rings when it has something new, and its feed is pulled soon after.

What it sends along is not read: who may ring may not therefore write. KoboToolbox calls this a REST service.
"""

import hmac
from hashlib import sha256
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response

from connectors.problem import FeedProblem
from connectors.secrets import Secrets
from hub.feeds.feed import read_feeds
from hub.postgres import UNREACHABLE

HEADER: Final = "Hub-Doorbell"
_RING = "update feed set rung_at = hub_now() where id = $1"
log = structlog.get_logger(__name__)


async def ring(request: Request) -> Response:
    """Note that a feed was rung for, if the header shows its secret; whatever else is the matter, there is no such door."""
    code, shown = request.path_params["code"], request.headers.get(HEADER, "")
    pool, around = request.app.state.pools.worker, request.app.state.around
    try:
        feed = next(iter(await read_feeds(pool, [code])), None)
        name = feed.settings.get("doorbell") if feed is not None and isinstance(feed.settings, dict) else None
        # Also where there is no feed or no bell a secret is looked for, and two digests are compared.
        if not _fits(shown, name, around.secrets if around else _none) or feed is None:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        await pool.execute(_RING, feed.id)
    except UNREACHABLE as error:
        log.error("feed.doorbell_unheard", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
        return Response(status_code=503, headers={"Cache-Control": "no-store", "Retry-After": "60"})
    return Response(status_code=202, headers={"Cache-Control": "no-store"})


def _fits(shown: str, name: object, secrets: Secrets) -> bool:
    try:
        secret = secrets(name if isinstance(name, str) else "no-such-doorbell")
    except FeedProblem:
        secret = ""
    same = hmac.compare_digest(sha256(shown.encode()).digest(), sha256(secret.encode()).digest())
    return same and bool(secret) and isinstance(name, str)


def _none(_: str) -> str:
    return ""
