"""What the conformance tests ask of the hub, and how they read its answers."""

from typing import Any

from joserfc.jwk import Key

from auth.metadata import METADATA_PATH
from tests.auth.kit import GRAPHQL_URL, ISSUER, World

VIEWER = b'{"query": "{ viewer { clientId } }"}'


async def ask(hub: World, token: str, key: Key, url: str = GRAPHQL_URL, **headers: str) -> Any:
    """Ask who one is, with a token and a fresh proof."""
    sent = {"authorization": f"DPoP {token}", "dpop": hub.proof(key, token=token), "content-type": "application/json"}
    return await hub.http.post(url, content=VIEWER, headers={**sent, **headers})


async def about(hub: World) -> dict[str, Any]:
    """Read the metadata."""
    return dict((await hub.http.get(ISSUER + METADATA_PATH)).json())


def error(answer: Any) -> str:
    """Name a refusal."""
    return str(answer.json().get("error"))
