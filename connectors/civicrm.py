"""This module reads an entity of a CiviCRM, by its APIv4 over HTTP.

Parameters go as one form field of JSON: a JSON body would be answered with an empty result, and no error. Records are read
in the order of their ids, each page from behind the last one: an offset would slip over what changes meanwhile.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from yarl import URL

from connectors.credentials import FORM
from connectors.http import Static, Upstream
from connectors.paged import HttpConnector
from connectors.paging import Position, Turn, count_of, list_of, object_of
from connectors.problem import FeedProblem, ProblemCode
from connectors.settings import BearerAuth, HttpSettings, PageSize
from connectors.surroundings import endpoint

FieldName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][\w.]{0,99}(:[a-z_]{1,20})?$")]


class CiviSettings(HttpSettings, frozen=True, kw_only=True):
    """An entity: `url` is https://HOST/civicrm/ajax/api4; `modified` names the field with the time of the last change."""

    auth: BearerAuth
    entity: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]{1,100}$")]
    select: Annotated[tuple[FieldName, ...], msgspec.Meta(min_length=1, max_length=200)]
    where: Annotated[tuple[Any, ...], msgspec.Meta(max_length=50)] = ()
    modified: FieldName | None = "modified_date"
    page_size: PageSize = 100


class CiviConnector(HttpConnector[CiviSettings]):
    """One entity. Times are read and written as CiviCRM has them, in its own zone without saying so."""

    def __init__(self, settings: CiviSettings, *given: Any) -> None:
        super().__init__(settings, *given)
        self.incremental = settings.modified is not None

    def open(self) -> Upstream:
        """Show the key in the header that proxies and the site's own sign-in leave alone."""
        key = self.surroundings.secrets(self.settings.auth.secret)
        shown = Static({"X-Civi-Auth": f"Bearer {key}", "X-Requested-With": "XMLHttpRequest"})
        return Upstream(endpoint(self.settings, self.surroundings, shown))

    async def turn(self, upstream: Upstream, since: datetime | None, position: Position) -> Turn:
        """Fetch the records with greater ids. Without a limit all would come, without `row_count` no proof of the end."""
        asked = self.settings
        where = list(asked.where)
        if since is not None and asked.modified is not None:
            where.append([asked.modified, ">=", since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")])
        if position.at is not None:
            where.append(["id", ">", int(position.at)])
        select = [*dict.fromkeys((*asked.select, "id", *([asked.modified] if asked.modified else []))), "row_count"]
        params = {"select": select, "where": where, "orderBy": {"id": "ASC"}, "limit": asked.page_size}
        url = URL(f"{str(self.url).rstrip('/')}/{asked.entity}/get")
        form = urlencode({"params": json.dumps(params)}).encode()
        body = object_of((await upstream.send("POST", url, form, FORM)).json())
        if "error_code" in body or "error_message" in body:
            raise FeedProblem(ProblemCode.UPSTREAM_FAILED)  # some of them come with status 200
        found = [object_of(each) for each in list_of(body.get("values"))]
        matched = body.get("countMatched")
        # An older CiviCRM does not say how many there are: then only an empty page is the end.
        more = bool(found) if matched is None else count_of(matched) > len(found)
        return Turn(tuple(found), more, max((count_of(each.get("id")) for each in found), default=None))
