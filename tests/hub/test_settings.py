"""Settings: each has a name, a meaning and a check; what is wrong stops the start with all of it said at once."""

from pathlib import Path

import pytest

from auth.keyring import Keyring
from hub.settings import DSNS, Settings, SettingsError

PASSWORD = "Tr0ub4dor-and-more"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment without a HUB_ variable."""
    for variable, _, _ in Settings.listed():
        monkeypatch.delenv(variable, raising=False)


def refused() -> list[str]:
    """Return the lines of the refusal."""
    with pytest.raises(SettingsError) as error:
        Settings.load()
    assert PASSWORD not in str(error.value)
    return str(error.value).splitlines()


def test_nothing_set_is_enough_to_start_with() -> None:
    """The defaults are those of one machine, on loopback, with logs for machines."""
    settings = Settings.load()

    assert (settings.issuer, settings.host, settings.port) == ("http://127.0.0.1:8000", "127.0.0.1", 8000)
    assert settings.log_format == "json"


def test_every_setting_says_what_it_is_for() -> None:
    """In a sentence, for the README and for the messages."""
    for variable, _, description in Settings.listed():
        assert variable.startswith("HUB_")
        assert description.endswith(".")


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line a setting, with its name, what it should be, and never what it was."""
    wrong = {
        "HUB_ISSUER": "http://hub.example.org",
        "HUB_PORT": "70000",
        "HUB_LOG_LEVEL": "LOUD",
        "HUB_DATABASE_URL": f"mysql://hub_app:{PASSWORD}@db/hub",
        "HUB_FEED_PRIVATE_HOSTS": "127.0.0.1:9000, localhost",
        "HUB_WORKER_DATABASE_URL_FILE": "/nowhere/at/all",
        "HUB_POOLSIZE": "3",
    }
    for variable, value in wrong.items():
        monkeypatch.setenv(variable, value)

    said = refused()

    assert len(said) == len(wrong)
    assert all(any(line.startswith(variable) for line in said) for variable in wrong)
    assert "HUB_POOLSIZE: there is no such setting. Is it HUB_POOL_SIZE?" in said
    assert any("http only on loopback" in line for line in said)


@pytest.mark.parametrize(
    "issuer", ["https://hub.example.org/", "https://u:p@hub.example.org", "ftp://x", "hub", "https://h?q=1"]
)
def test_denies_an_issuer_that_tokens_could_not_name(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    """RFC 8414 section 2: https, no query, no fragment; ours without a trailing slash or credentials either."""
    monkeypatch.setenv("HUB_ISSUER", issuer)

    assert refused()[0].startswith("HUB_ISSUER should be like https://")


def test_denies_a_dsn_of_another_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests answered as the administrator would be answered without the second wall."""
    monkeypatch.setenv("HUB_DATABASE_URL", f"postgresql://postgres:{PASSWORD}@db/hub")

    assert [line.partition(".")[0] for line in refused()] == ["HUB_DATABASE_URL should log in as hub_app"]


def test_a_dsn_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As compose hands out secrets; a variable beside the file is refused, since one of them would not hold."""
    file = tmp_path / "dsn"
    file.write_text(f"postgresql://hub_app:{PASSWORD}@db/hub\n")
    monkeypatch.setenv("HUB_DATABASE_URL_FILE", str(file))

    assert Settings.load().dsn("database_url") == f"postgresql://hub_app:{PASSWORD}@db/hub"

    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://hub_app@db/hub")
    assert refused() == ["HUB_DATABASE_URL: set it or HUB_DATABASE_URL_FILE, not both."]


def test_passwords_come_out_of_the_dsns_by_role_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded as a URL has them; a repr shows none."""
    monkeypatch.setenv("HUB_AUTH_DATABASE_URL", f"postgresql://hub_auth:{PASSWORD}%40%2F@db/hub")
    monkeypatch.setenv("HUB_WORKER_DATABASE_URL", "postgresql://hub_worker@/hub?host=/run/postgresql")
    monkeypatch.setenv("HUB_KEYS", PASSWORD)
    settings = Settings.load()

    assert settings.role_passwords() == {"hub_auth": f"{PASSWORD}@/"}
    assert PASSWORD not in repr(settings) + str(settings)


def test_what_is_needed_and_not_set_is_named_at_once() -> None:
    """With what it is for, and the file that may hold it."""
    with pytest.raises(SettingsError) as error:
        Settings.load().need("port", *DSNS)

    lines = str(error.value).splitlines()
    assert [line.split()[0] for line in lines] == [f"HUB_{name.upper()}" for name in DSNS]
    assert "HUB_DATABASE_URL_FILE" in lines[0]


def test_keys_come_from_a_file_or_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Either, not both, and not neither."""
    file = tmp_path / "keys.json"
    Keyring.create(file)
    with pytest.raises(SettingsError, match="HUB_KEYS_FILE is not set"):
        Settings.load().keyring()
    monkeypatch.setenv("HUB_KEYS_FILE", str(file))
    from_file = Settings.load().keyring()
    monkeypatch.setenv("HUB_KEYS", file.read_text())
    assert refused() == ["HUB_KEYS: set it or HUB_KEYS_FILE, not both."]
    monkeypatch.delenv("HUB_KEYS_FILE")

    assert Settings.load().keyring() == from_file


def test_a_private_host_is_taken_apart_by_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a feed's secret in the environment is not taken for a setting."""
    monkeypatch.setenv("HUB_FEED_PRIVATE_HOSTS", "127.0.0.1:9000, localhost:9001 [::1]:9")
    monkeypatch.setenv("HUB_SECRET_PEN_API", PASSWORD)

    assert Settings.load().feed_private_hosts == {"127.0.0.1:9000", "localhost:9001", "[::1]:9"}
