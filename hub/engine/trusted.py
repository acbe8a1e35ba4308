"""This module finds the document that a request asks for: by its text, or by the id of one that was published for the client.

Who may send nothing but published documents is told so by the token, and refused before a text is even parsed. What is remembered
here of published documents may be out of date: the gate of the answering statement looks again, so a change holds at once.
"""

import hashlib
import re
from typing import Any, Final

import asyncpg

from auth.principal import Principal
from auth.recent import Recent
from hub.engine.documents import Document, Documents, RequestRefusedError
from hub.engine.limits import problem

PREFIX: Final = "sha256:"
"""An id is this and the SHA-256 of the text in hexadecimal (GraphQL over HTTP, appendix A)."""
KEPT: Final = 10_000
"""How many published documents a process remembers, without their texts."""
_ID: Final = re.compile(f"{PREFIX}[0-9a-f]{{64}}")
_FIND: Final = """
with asker as materialized (
    select set_config('hub.organisation', $1::text, true) is not null and set_config('hub.client', $2, true) is not null as bound
)
select (select d.text from trusted_document d where d.client_id = $2 and d.digest = $3) as text from asker where bound
"""


class DocumentUnknownError(RequestRefusedError):
    """A document that is none of the client's published ones: the same answer whether a text, an id, or nothing like one."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            problem("DOCUMENT_UNKNOWN", "This client has published no such document: hub documents publish adds one.")
        )


def digest_of(identifier: str) -> bytes | None:
    """Give the digest that an id names.

    >>> digest_of("sha256:" + "0a" * 32) == bytes([10]) * 32, digest_of("0a" * 32)
    (True, None)
    """
    return bytes.fromhex(identifier.removeprefix(PREFIX)) if _ID.fullmatch(identifier) else None


class Trusted:
    """The documents that clients published, as one process knows them. `pool` is of the role hub_app."""

    def __init__(self, pool: "asyncpg.Pool[Any]", documents: Documents) -> None:
        self._pool, self._documents = pool, documents
        self._seen: Recent[tuple[str, bytes], bool] = Recent(KEPT)

    async def read(self, principal: Principal, text: str | None, identifier: str | None) -> Document:
        """Give the document of a text or an id; raise DocumentUnknownError, or RequestRefusedError with all that is wrong with it."""
        if text is not None and not principal.documents_only:
            return await self._documents.read(text, principal.limits, principal.organisation)
        digest = hashlib.sha256(text.encode()).digest() if text is not None else digest_of(identifier or "")
        if digest is None:
            raise DocumentUnknownError
        known = self._documents.known(digest, principal.organisation)
        if known is not None and self._seen.get((principal.client, digest)):
            return known
        published = await self._pool.fetchval(_FIND, str(principal.organisation), principal.client, digest)
        if published is None:
            raise DocumentUnknownError
        self._seen.put((principal.client, digest), True)  # noqa: FBT003 a set, that forgets
        return await self._documents.read(published, principal.limits, principal.organisation)
