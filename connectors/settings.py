"""This module reads a feed's settings: checked as a whole, all flaws at once, secrets by name only."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec

from connectors.problem import ConfigurationError, Flaw
from connectors.secrets import NAME, Secrets

SecretName = Annotated[
    str, msgspec.Meta(pattern=NAME.pattern, description="The name of a secret, never its value (a-z, 0-9, - and _).")
]
FeedUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^\s/?#@]+(/[^\s#]*)?$", max_length=2000, description="https, without credentials."
    ),
]
Expression = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, description="A JMESPath expression.")]
ParameterName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.\-\[\]$]{1,64}$")]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=5000)]
PageCount = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=120)]
Megabytes = Annotated[int, msgspec.Meta(ge=1, le=256)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What every kind of settings is: camelCase, nothing unknown."""


class NoAuth(Settings, frozen=True, kw_only=True, tag="none", tag_field="scheme"):
    """The feed is public."""


class BearerAuth(Settings, frozen=True, kw_only=True, tag="bearer", tag_field="scheme"):
    """Authorization: Bearer (RFC 6750)."""

    secret: SecretName


class HeaderAuth(Settings, frozen=True, kw_only=True, tag="header", tag_field="scheme"):
    """An API key in a header of its own."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    secret: SecretName


class BasicAuth(Settings, frozen=True, kw_only=True, tag="basic", tag_field="scheme"):
    """Authorization: Basic (RFC 7617)."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[^:\x00-\x1f]{1,200}$")]
    secret: SecretName


Auth = NoAuth | BearerAuth | HeaderAuth | BasicAuth


class HttpSettings(Settings, frozen=True, kw_only=True):
    """What every feed over HTTP is told."""

    url: FeedUrl
    auth: Auth
    max_pages: PageCount = 10_000
    timeout_seconds: Seconds = 30
    max_megabytes: Megabytes = 16


def auth_headers(auth: Auth, secrets: Secrets) -> Mapping[str, str]:
    """Fetch the secret and make the headers of it; raise FeedProblem(SECRET_MISSING)."""
    match auth:
        case BearerAuth():
            return {"Authorization": f"Bearer {secrets(auth.secret)}"}
        case HeaderAuth():
            return {auth.name: secrets(auth.secret)}
        case BasicAuth():
            pair = f"{auth.user}:{secrets(auth.secret)}"
            return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}


S = TypeVar("S", bound=Settings)


def read_settings(kind: type[S], document: object) -> S:
    """Read settings from JSON; raise ConfigurationError with a flaw for each field that is wrong."""
    if not isinstance(document, dict):
        raise ConfigurationError((Flaw((), "settings are an object"),))
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    hints = get_type_hints(kind, include_extras=True)
    flaws = [
        Flaw((str(name),), f"is no setting; choose from {', '.join(fields)}")
        for name in document.keys() - fields.keys()
    ]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in document:
            try:
                values[field.name] = msgspec.convert(document[name], hints[field.name])
            except msgspec.ValidationError as error:
                flaws.append(_flaw(name, str(error)))
        elif field.required:
            flaws.append(Flaw((name,), "is required"))
    if flaws:
        raise ConfigurationError(tuple(flaws))
    return kind(**values)


def _flaw(name: str, message: str) -> Flaw:
    """Put msgspec's message in our shape. A wrong enum value or tag is quoted by it, so that part is left out."""
    what, _, where = message.partition(" - at `$")
    inner = tuple(part for part in where.rstrip("`").replace("[", ".[").split(".") if part)
    if what.startswith("Invalid"):
        what = "is none of the values known here"
    return Flaw((name, *inner), what[0].lower() + what[1:])
