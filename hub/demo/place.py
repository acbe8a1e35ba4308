"""This module is the folder of a demonstration: where its keys, credentials, secrets and data lie, and its settings."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from auth.keyring import Keyring
from hub.embedded import ADMIN, Server
from hub.settings import DSN_ROLES, Settings

DATABASE = "hub"


class DemoError(RuntimeError):
    """The demonstration cannot go on; the text says why and what to do."""


class DemoSettings(Settings):
    """Settings that a demonstration gives itself: what HUB_* variables say of another hub does not touch it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given, and nothing else."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class Place:
    """A demonstration's folder."""

    root: Path

    @property
    def credentials(self) -> Path:
        """The clients' credentials."""
        return self.root / "credentials.json"

    @property
    def keys(self) -> Path:
        """The key-encryption keys."""
        return self.root / "keys.json"

    @property
    def secrets(self) -> Path:
        """The folder of the feeds' secrets."""
        return self.root / "secrets"

    @property
    def log(self) -> Path:
        """Where the processes log, so that the terminal is left to the story."""
        return self.root / "hub.log"

    @property
    def server(self) -> Path:
        """The folder of the embedded PostgreSQL."""
        return self.root / "postgres"

    def prepare(self) -> None:
        """Make the folders; nobody else may look into them. Raises DemoError when they cannot be made or written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.secrets.mkdir(mode=0o700, exist_ok=True)
            self.log.touch()
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise DemoError(f"--dir: {self.root} cannot be used ({reason}). Name a folder of its own for it.") from None

    def keyring(self) -> Keyring:
        """Load the keys, or make them with the data; raise DemoError when data are there and their keys are gone."""
        if self.keys.exists():
            return Keyring.load(self.keys, setting=str(self.keys))
        if (self.server / "data").exists():
            raise DemoError(f"{self.keys} is gone, and what was sealed with it cannot be opened: remove {self.root}.")
        return Keyring.create(self.keys)

    def settings(self, server: Server, port: int, private_hosts: list[str]) -> Settings:
        """Give the settings of the hub of this demonstration."""
        dsns: dict[str, Any] = {name: server.dsn(role, DATABASE) for name, role in DSN_ROLES.items()}
        return DemoSettings(
            **dsns,
            admin_database_url=server.dsn(ADMIN, DATABASE),  # type: ignore[arg-type] # pydantic makes a secret of it
            issuer=f"http://127.0.0.1:{port}",
            port=port,
            keys_file=self.keys,
            secrets_dir=self.secrets,
            feed_private_hosts=frozenset(private_hosts),
        )
