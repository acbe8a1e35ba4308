"""This module is in charge of what an operator may set, all of it HUB_* in the environment; it opens nothing."""

import difflib
import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from auth.keyring import Keyring, KeyringError
from auth.metadata import checked_issuer

PREFIX: Final = "HUB_"
FEED_SECRETS: Final = "HUB_SECRET_"
"""Secrets of feeds may stand in the environment too, one variable each, under names that only the feeds know."""
DSN_ROLES: Final = {
    "database_url": "hub_app",
    "auth_database_url": "hub_auth",
    "worker_database_url": "hub_worker",
    "migrate_database_url": "hub_migrate",
}
WRONG: Final = {
    **dict.fromkeys(("int_parsing", "int_from_float", "float_parsing"), "is not a number that it can be"),
    **dict.fromkeys(
        ("greater_than", "greater_than_equal", "less_than_equal", "int_parsing_size"), "is out of its range"
    ),
    **dict.fromkeys(("literal_error", "bool_parsing"), "is none of its choices"),
}
"""What pydantic finds, by its own names, in our words."""
DSNS: Final = (*DSN_ROLES, "admin_database_url")


class SettingsError(ValueError):
    """What is set cannot be used; the text has one line for each setting: its name and what it should be."""


def _issuer(value: str) -> str:
    try:
        return checked_issuer(value)
    except ValueError:
        raise ValueError(
            "should be like https://hub.example.org (http only on loopback), with nothing after it"
        ) from None


def _dsn(value: SecretStr) -> SecretStr:
    url = urlsplit(value.get_secret_value())
    if url.scheme not in ("postgresql", "postgres") or not url.username or not url.path.strip("/"):
        raise ValueError("should be like postgresql://ROLE:PASSWORD@HOST/DATABASE")
    return value


def _folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError("should be a folder that is there")
    return value


def _words(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _host_and_port(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise ValueError("should be like 127.0.0.1:9000, several with commas between")
    return value


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError("should be like 10.0.0.0/8 or an address, several with commas between") from None


Dsn = Annotated[SecretStr, AfterValidator(_dsn)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class Settings(BaseSettings):
    """Everything that can be set. Nothing is asked for until something needs it: see `dsn` and `need`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        default="http://127.0.0.1:8000",
        description="The hub's public address: issuer and audience of its tokens. https, unless it is loopback.",
    )
    database_url: Dsn | None = Field(default=None, description="Where requests are answered from, as role hub_app.")
    auth_database_url: Dsn | None = Field(default=None, description="The authorization server's, as role hub_auth.")
    worker_database_url: Dsn | None = Field(default=None, description="The worker's, as role hub_worker.")
    migrate_database_url: Dsn | None = Field(default=None, description="For hub migrate, as role hub_migrate.")
    admin_database_url: Dsn | None = Field(
        default=None,
        description="For hub migrate, hub organisation create and hub panic, as an administrator who may create roles. Set it nowhere else.",
    )
    keys_file: Path | None = Field(
        default=None, description="The file of key-encryption keys, readable by its owner alone (mode 0600)."
    )
    keys: SecretStr | None = Field(default=None, description="The same keys as JSON text, in place of a file.")
    epoch_days: int = Field(
        default=30,
        ge=0,
        le=3650,
        description="The days that an old key-encryption key is kept for backups, before it may be destroyed: up to 3650.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Where the worker tells numbers on 127.0.0.1, for Prometheus; off unless set.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="The port to listen on: a number from 1 to 65535.")
    pool_size: int = Field(
        default=10, ge=1, le=500, description="The most database connections of one process: a number from 1 to 500."
    )
    statement_timeout: float = Field(
        default=10, gt=0, le=300, description="The seconds after which a database statement is given up: up to 300."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least that is logged: DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="How log lines look: json, or console for reading along."
    )
    secrets_dir: Annotated[Path, AfterValidator(_folder)] | None = Field(
        default=None, description="The folder with the feeds' secrets, one file each, named as the feeds name them."
    )
    feed_private_hosts: Annotated[frozenset[HostAndPort], NoDecode, BeforeValidator(_words)] = Field(
        default=frozenset(),
        description="Private HOST:PORT addresses that feeds and webhooks may nevertheless use, with commas between.",
    )
    trusted_proxies: Annotated[frozenset[Network], NoDecode, BeforeValidator(_words)] = Field(
        default=frozenset(),
        description="Networks of the proxies whose X-Forwarded-For is believed, with commas between.",
    )
    dpop_nonces: bool = Field(
        default=False, description="Whether every DPoP proof needs a fresh nonce of the hub: true or false."
    )

    @classmethod
    def load(cls, *needed: str, keys: bool = False) -> Self:
        """Read the environment; a DSN may come from a file named by HUB_..._FILE.

        Raises SettingsError for all at once that is wrong, for those of `needed` that are not set, and with `keys` for
        key-encryption keys that are not there or cannot be used.
        """
        problems = _unknown_names(cls)
        from_files: dict[str, str] = {}
        for name in DSNS:
            variable = f"{PREFIX}{name.upper()}"
            if path := os.environ.get(f"{variable}_FILE"):
                try:
                    from_files[name] = Path(path).read_text().strip()
                except (OSError, UnicodeDecodeError) as error:
                    problems.append(f"{variable}_FILE: {path} cannot be read ({type(error).__name__}).")
                if variable in os.environ:
                    problems.append(f"{variable}: set it or {variable}_FILE, not both.")
        try:
            settings = cls(**from_files)  # type: ignore[arg-type]  # pydantic makes of the text what each field is
        except ValidationError as error:
            problems += _explained(cls, error)
        missing = [name for name in needed if not _is_set(name)]
        problems += [_line(cls, name, "is not set") for name in missing]
        problems += _key_problems(cls, needed=keys)
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    @field_validator(*DSN_ROLES)
    @classmethod
    def _as_its_role(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        role = DSN_ROLES[info.field_name or ""]
        if value is not None and urlsplit(value.get_secret_value()).username != role:
            raise ValueError(f"should log in as {role}")
        return value

    def need(self, *names: str) -> None:
        """Raise SettingsError, all at once, for those of `names` that nothing was set for."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise SettingsError("\n".join(_line(type(self), name, "is not set") for name in missing))

    def dsn(self, name: str) -> str:
        """Return the DSN called `name` (database_url, ...) in clear; raise SettingsError when it is not set."""
        self.need(name)
        secret: SecretStr = getattr(self, name)
        return secret.get_secret_value()

    def keyring(self) -> Keyring:
        """Return the key-encryption keys; raise SettingsError when none are set, KeyringError when they are no good."""
        if self.keys is not None:
            return Keyring.parse(self.keys.get_secret_value())
        self.need("keys_file")
        return Keyring.load(self.keys_file or Path())

    def role_passwords(self) -> dict[str, str]:
        """Return the passwords that the DSNs carry, by role: what `ensure_roles` sets."""
        dsns = {role: getattr(self, name) for name, role in DSN_ROLES.items()}
        urls = {role: urlsplit(dsn.get_secret_value()) for role, dsn in dsns.items() if dsn is not None}
        return {role: unquote(url.password) for role, url in urls.items() if url.password}

    @classmethod
    def listed(cls) -> list[tuple[str, str, str]]:
        """Return every setting as (variable, default or '', description), in the order declared."""
        return [
            (f"{PREFIX}{name.upper()}", str(field.default or ""), field.description or "")
            for name, field in cls.model_fields.items()
        ]


def _is_set(name: str) -> bool:
    variable = f"{PREFIX}{name.upper()}"
    return variable in os.environ or (name in DSNS and bool(os.environ.get(f"{variable}_FILE")))


def _key_problems(settings: type[Settings], *, needed: bool) -> list[str]:
    """Say what is wrong with the keys as they are set: twice, not at all though needed, or malformed."""
    text, path = (os.environ.get(f"{PREFIX}{name}") for name in ("KEYS", "KEYS_FILE"))
    if text is not None and path is not None:
        return ["HUB_KEYS: set it or HUB_KEYS_FILE, not both."]
    if not needed:
        return []
    if text is None and path is None:
        return [_line(settings, "keys_file", "is not set") + " Or give the same in HUB_KEYS."]
    try:
        Keyring.load(path) if path is not None else Keyring.parse(text or "")
    except KeyringError as error:
        return str(error).splitlines()
    return []


def _line(settings: type[Settings], name: str, problem: str) -> str:
    also = f" Or name a file that holds it: {PREFIX}{name.upper()}_FILE." if name in DSNS else ""
    return f"{PREFIX}{name.upper()} {problem}. {settings.model_fields[name].description}{also}"


def _explained(settings: type[Settings], error: ValidationError) -> list[str]:
    """Put pydantic's findings in the operator's words, never with the value that was found."""
    lines: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        message = detail["msg"].removeprefix("Value error, ")
        name = str(detail["loc"][0])
        # What it should be, each description says.
        problem = WRONG.get(detail["type"], "cannot be used") if detail["type"] != "value_error" else message
        lines[name] = _line(settings, name, problem)
    return list(lines.values())


def _unknown_names(settings: type[Settings]) -> list[str]:
    """Name the variables that set nothing: misspelt, each would be a default that nobody chose."""
    known = {variable for variable, _, _ in settings.listed()}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in DSNS}
    unknown = [n for n in os.environ if n.startswith(PREFIX) and not n.startswith(FEED_SECRETS) and n not in known]
    return [
        f"{name}: there is no such setting."
        + "".join(f" Is it {near}?" for near in difflib.get_close_matches(name, known, 1))
        for name in sorted(unknown)
    ]
