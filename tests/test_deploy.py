"""The deployment files: valid, closed by default, and naming only what there is."""

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from auth.keyring import Keyring
from hub.settings import DSN_ROLES, DSNS, Settings

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
STACK: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A place where secrets may be made: the script and nothing else of the repository."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "secrets.sh", tmp_path / "deploy")
    return tmp_path


def make_secrets(place: Path, domain: str = "hub.example.org") -> subprocess.CompletedProcess[str]:
    """Run deploy/secrets.sh as an operator would."""
    command = [str(place / "deploy" / "secrets.sh"), domain]
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # our own


def fits_the_specification(file: Path) -> bool:
    """Check against the compose specification's JSON schema, which the package check-jsonschema brings along."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603  # our own


def test_the_stack_fits_the_compose_specification(tmp_path: Path) -> None:
    """And the check would say so if it did not."""
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text(COMPOSE.read_text().replace("healthcheck:", "healthchek:", 1))

    assert fits_the_specification(COMPOSE)
    assert not fits_the_specification(misspelt)


def test_nothing_but_the_proxy_is_reachable_from_outside() -> None:
    """The database publishes no port and sits on a network that leads nowhere."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert SERVICES["database"]["networks"] == ["data"]
    assert STACK["networks"]["data"] == {"internal": True}
    assert "data" not in SERVICES["proxy"]["networks"]


def test_every_secret_is_a_file_and_none_has_a_default() -> None:
    """No password, key or DSN stands in the file or in a variable, and a missing variable stops the start."""
    text = COMPOSE.read_text()

    assert all(set(secret) == {"file"} for secret in STACK["secrets"].values())
    assert not re.search(r"\$\{\w+(:?-|\})", text)
    assert "postgresql://" not in text
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if variable == "HUB_KEYS_FILE":
                assert value == "/run/sealing/keys"
            elif re.search("PASSWORD|DATABASE_URL|KEYS", variable):
                assert variable.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_every_service_runs_with_the_least() -> None:
    """Read-only, without capabilities it does not need, never gaining any; ours as an ordinary user."""
    for name, service in SERVICES.items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert name in ("migrate", "operator") or service["healthcheck"]["test"][0] == "CMD"
        if service["image"] == "icorn-hub":
            assert service["user"].startswith("${HUB_USER:?")
            assert "cap_add" not in service


def test_each_process_is_given_only_what_it_uses() -> None:
    """Nothing that serves can act as the administrator. The hub holds the worker's login, which writes replicas of feeds and opens none."""
    assert set(SERVICES["hub"]["secrets"]) == {"app_url", "auth_url", "worker_url"}
    assert set(SERVICES["worker"]["secrets"]) == {"worker_url"}


def test_only_who_uses_the_keys_has_them_and_only_an_operator_writes_them() -> None:
    """As a folder, so that a process that serves sees the new file in the place of the old one."""
    mounts = {name: [v for v in service.get("volumes", ()) if "sealing" in v] for name, service in SERVICES.items()}
    folder = "./deploy/secrets/sealing:/run/sealing"

    assert {name: mount for name, mount in mounts.items() if mount} == {
        "hub": [f"{folder}:ro"],
        "worker": [f"{folder}:ro"],
        "operator": [folder],
    }
    assert SERVICES["operator"]["profiles"] == ["operator"]


def test_every_setting_in_the_stack_exists() -> None:
    """A misspelt one would stop the hub at its start."""
    known = {variable for variable, _, _ in Settings.listed()} | {f"HUB_{name.upper()}_FILE" for name in DSNS}
    used = {name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("HUB_")}

    assert used <= known


def test_the_script_makes_every_secret_readable_by_its_owner_alone(copy: Path) -> None:
    """Each file that the stack names, and nothing that others may read."""
    made = make_secrets(copy)

    assert made.returncode == 0, made.stderr
    for secret in STACK["secrets"].values():
        assert stat.S_IMODE((copy / secret["file"]).stat().st_mode) == 0o600
    assert stat.S_IMODE((copy / "deploy" / "secrets" / "sealing" / "keys").stat().st_mode) == 0o600
    assert stat.S_IMODE((copy / "deploy" / "secrets").stat().st_mode) == 0o700
    variables = dict(line.split("=") for line in (copy / ".env").read_text().splitlines())
    assert variables["DOMAIN"] == "hub.example.org"
    assert not variables["HUB_USER"].startswith("0:")


def test_the_hub_accepts_what_the_script_makes(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and DSNs as they are, every password its own and long."""
    make_secrets(copy)
    for name, role in DSN_ROLES.items():
        file = copy / "deploy" / "secrets" / f"{role.removeprefix('hub_')}_url"
        monkeypatch.setenv(f"HUB_{name.upper()}_FILE", str(file))
    monkeypatch.setenv("HUB_ADMIN_DATABASE_URL_FILE", str(copy / "deploy" / "secrets" / "admin_url"))

    passwords = Settings.load().role_passwords()

    assert passwords.keys() == set(DSN_ROLES.values())
    assert len(set(passwords.values())) == len(passwords)
    assert all(len(password) == 64 for password in passwords.values())
    assert Keyring.load(copy / "deploy" / "secrets" / "sealing" / "keys")


def test_the_script_never_overwrites_and_never_guesses(copy: Path) -> None:
    """A second run, and a domain that is none, change nothing."""
    assert make_secrets(copy, "https://hub.example.org/").returncode != 0
    assert not (copy / ".env").exists()
    make_secrets(copy)
    before = (copy / "deploy" / "secrets" / "sealing" / "keys").read_text()

    again = make_secrets(copy)

    assert again.returncode != 0
    assert "not overwritten" in again.stderr
    assert (copy / "deploy" / "secrets" / "sealing" / "keys").read_text() == before


def test_the_proxy_tells_the_hub_alone_who_called_and_logs_no_request() -> None:
    """Strict transport security for two years; what a client claims about itself is dropped; the hub believes this proxy and no other."""
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    assert 'Strict-Transport-Security "max-age=63072000' in text
    assert "header_up X-Forwarded-For {remote_host}\n" in text
    (edge,) = STACK["networks"]["edge"]["ipam"]["config"]
    assert STACK["services"]["hub"]["environment"]["HUB_TRUSTED_PROXIES"] == edge["subnet"]
    for header in ("Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"):
        assert f"header_up -{header}\n" in text
    assert "exclude http.log http.handlers" in text
    assert "encode" not in text  # compressed answers tell by their length what they hold (BREACH)


def test_the_image_is_built_from_hashes_and_runs_as_nobody() -> None:
    """And holds nothing of what lies about in the folder."""
    text = (ROOT / "Dockerfile").read_text()

    assert "--require-hashes -r requirements.txt" in text
    assert "\nUSER 10001:10001\n" in text
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_secrets_are_kept_out_of_the_repository() -> None:
    """What the script makes is ignored."""
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert ".env" in ignored
    assert "deploy/secrets/" in ignored
