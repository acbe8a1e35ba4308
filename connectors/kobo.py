"""This module reads the submissions of a KoboToolbox form, by its API v2.

Editing gives a submission a new `_uuid` but leaves its `_submission_time`, so changes cannot be asked for: each pull reads
everything, in the order of `_id`, which stays. `_root`, made here, is what a submission was called at first and always is.
"""

import json
from datetime import datetime
from typing import Annotated, Any

import msgspec

from connectors.http import Upstream
from connectors.paged import HttpConnector
from connectors.paging import Position, Turn, count_of, list_of, object_of
from connectors.settings import BasicAuth, HttpSettings, SecretName, TokenAuth

_LARGEST = 1000


class KoboSettings(HttpSettings, frozen=True, kw_only=True):
    """A form: `url` is https://HOST/api/v2/assets/UID/data/; `doorbell` the secret that its REST service rings with."""

    auth: TokenAuth | BasicAuth
    page_size: Annotated[int, msgspec.Meta(ge=1, le=_LARGEST)] = _LARGEST
    doorbell: SecretName | None = None


class KoboConnector(HttpConnector[KoboSettings]):
    """One form."""

    async def turn(self, upstream: Upstream, since: datetime | None, position: Position) -> Turn:  # noqa: ARG002
        """Fetch the submissions with greater ids. A page may be shorter than asked for: the count alone tells the end."""
        query = {"format": "json", "limit": str(self.settings.page_size), "sort": '{"_id":1}'}
        if position.at is not None:
            query["query"] = json.dumps({"_id": {"$gt": int(position.at)}})
        body = object_of(await upstream.get_json(self.url.update_query(query)))
        found = [object_of(each) for each in list_of(body.get("results"))]
        more = count_of(body.get("count")) > len(found)
        at = max((count_of(each.get("_id")) for each in found), default=None)
        return Turn(tuple(_rooted(each) for each in found), more, at)


def _rooted(submission: dict[str, Any]) -> dict[str, Any]:
    root = submission.get("meta/rootUuid") or submission.get("_uuid")
    return {**submission, "_root": root.removeprefix("uuid:") if isinstance(root, str) else None}
