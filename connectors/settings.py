"""This module reads a feed's settings: checked as a whole, all flaws at once, secrets by name only."""

from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec

from connectors.problem import ConfigurationError, Flaw
from connectors.secrets import NAME

SecretName = Annotated[
    str, msgspec.Meta(pattern=NAME.pattern, description="The name of a secret, never its value (a-z, 0-9, - and _).")
]
FeedUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^\s/?#@]+(/[^\s#]*)?$", max_length=2000, description="https, without credentials."
    ),
]
FileUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(https?://[^\s/?#@]+(/[^\s#]*)?|sftp://[^\s/?#@:]+:\d{1,5}/[^\s?#]+)$",
        max_length=2000,
        description="https, or sftp with its port; without credentials.",
    ),
]
Expression = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, description="A JMESPath expression.")]
ParameterName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.\-\[\]$]{1,64}$")]
ClientId = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,200}$")]
Scopes = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$", max_length=1000)]
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


class TokenAuth(Settings, frozen=True, kw_only=True, tag="token", tag_field="scheme"):
    """Authorization: Token, as Django REST framework has it."""

    secret: SecretName


class BasicAuth(Settings, frozen=True, kw_only=True, tag="basic", tag_field="scheme"):
    """Authorization: Basic (RFC 7617)."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[^:\x00-\x1f]{1,200}$")]
    secret: SecretName


class OAuth(Settings, frozen=True, kw_only=True, tag="oauth", tag_field="scheme"):
    """Bearer tokens for a client's secret: OAuth client_credentials (RFC 6749, section 4.4)."""

    token_url: FeedUrl
    client_id: ClientId
    secret: SecretName
    scope: Scopes | None = None


class SmartAuth(Settings, frozen=True, kw_only=True, tag="smart", tag_field="scheme"):
    """Bearer tokens for a signed assertion: SMART Backend Services. The secret is a private JWK on one line."""

    token_url: FeedUrl
    client_id: ClientId
    secret: SecretName
    scope: Scopes = "system/*.rs"


class LoginAuth(Settings, frozen=True, kw_only=True, tag="login", tag_field="scheme"):
    """Bearer tokens of the system's own log-in; the secret is the password."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]{1,200}$")]
    secret: SecretName


class HubAuth(Settings, frozen=True, kw_only=True, tag="hub", tag_field="scheme"):
    """A client of another hub; the secret is its private JWK on one line, as `hub keygen` made it."""

    client_id: ClientId
    secret: SecretName


class SshAuth(Settings, frozen=True, kw_only=True, tag="ssh", tag_field="scheme"):
    """SFTP: the secret is a password, or a private key (PEM, without a passphrase); the host's own key is pinned."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,100}$")]
    secret: SecretName
    host_key: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$", max_length=2000)]


WebAuth = NoAuth | BearerAuth | HeaderAuth | TokenAuth | BasicAuth | OAuth | SmartAuth
Auth = WebAuth | LoginAuth | HubAuth | SshAuth


class HttpSettings(Settings, frozen=True, kw_only=True):
    """What every feed over HTTP is told."""

    url: FeedUrl
    auth: Auth
    max_pages: PageCount = 10_000
    timeout_seconds: Seconds = 30
    max_megabytes: Megabytes = 16


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
