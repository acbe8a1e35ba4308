"""This module reads the submissions of an ODK Central form, by OData."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from yarl import URL

from connectors.credentials import Tokens, taken
from connectors.http import Upstream
from connectors.paged import HttpConnector
from connectors.paging import Position, Turn, count_of, list_of, object_of
from connectors.record import CanonicalRecord, Reject
from connectors.settings import BasicAuth, BearerAuth, HttpSettings, LoginAuth, PageSize
from connectors.surroundings import endpoint

_LIVES = 86_400.0
_SEALED = ("notDecrypted", "missingEncryptedFormData")


class OdkSettings(HttpSettings, frozen=True, kw_only=True):
    """A form: `url` is https://HOST/v1/projects/1/forms/NAME.svc; `table` its submissions, or a repeat of theirs."""

    auth: LoginAuth | BasicAuth | BearerAuth
    table: Annotated[str, msgspec.Meta(pattern=r"^Submissions(\.[\w-]{1,100}){0,5}$")] = "Submissions"
    filter: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None
    page_size: PageSize = 250


class OdkConnector(HttpConnector[OdkSettings]):
    """One form. Central's cursors have lost records: a pass that read fewer than were counted proves nothing."""

    incremental = True

    def open(self) -> Upstream:
        """Log in for a session of a day, unless the credential is shown with each request."""
        auth, where = self.settings.auth, endpoint(self.settings, self.surroundings)
        if not isinstance(auth, LoginAuth):
            return Upstream(where)
        user = {"email": auth.user, "password": self.surroundings.secrets(auth.secret)}
        parts = urlsplit(self.settings.url)
        sessions = URL(f"{parts.scheme}://{parts.netloc}/v1/sessions")

        async def fetch(upstream: Upstream) -> tuple[str, float]:
            token, _ = taken(await upstream.post_json(sessions, user), "token")
            return token, _LIVES

        return Upstream(endpoint(self.settings, self.surroundings, Tokens(where, fetch)))

    async def turn(self, upstream: Upstream, since: datetime | None, position: Position) -> Turn:
        """Fetch a page; there is a link to the next one only because `$top` was asked for."""
        url = self._query(since) if position.at is None else upstream.join(position.at)
        body = object_of(await upstream.get_json(url))
        following = body.get("@odata.nextLink")
        at = str(upstream.join(following)) if isinstance(following, str) else following
        return Turn(tuple(list_of(body.get("value"))), at is not None, at, count_of(body.get("@odata.count")))

    def map(self, raw: object) -> CanonicalRecord | Reject:
        """Bring a submission into the hub's words; one that is encrypted says nothing, and must not blank what was known."""
        mapped = super().map(raw)
        system: Any = raw.get("__system") if isinstance(raw, dict) else None
        if isinstance(system, dict) and system.get("status") in _SEALED:
            return Reject(mapped.source_id, "ENCRYPTED")
        return mapped

    def _query(self, since: datetime | None) -> URL:
        asked = [self.settings.filter] if self.settings.filter else []
        if since is not None:
            moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            asked.append(f"__system/submissionDate ge {moment} or __system/updatedAt ge {moment}")
        query = {"$top": str(self.settings.page_size), "$count": "true", "$expand": "*", "$wkt": "false"}
        if asked:
            query["$filter"] = " and ".join(f"({each})" for each in asked)
        return URL(f"{self.settings.url.rstrip('/')}/{self.settings.table}").with_query(query)
