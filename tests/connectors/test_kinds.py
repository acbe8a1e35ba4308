"""How a feed's settings are checked, and how its secrets stay secret."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from yarl import URL

from connectors.credentials import credential
from connectors.fakes.people import GRAPHQL_MAPPING, GRAPHQL_SETTINGS, REST_MAPPING, REST_SETTINGS
from connectors.http import Endpoint
from connectors.kinds import KINDS, check, connect
from connectors.problem import ConfigurationError, FeedProblem, ProblemCode
from connectors.protocol import Cursor
from connectors.secrets import either, from_directory, from_environment
from connectors.settings import BearerAuth
from connectors.surroundings import Surroundings

HOSTS = frozenset({"127.0.0.1:8101", "127.0.0.1:8102"})
SURROUNDINGS = Surroundings(lambda _: "s3cret-value", HOSTS)
QUERY = GRAPHQL_SETTINGS["query"]


def flaws(kind: str, settings: object, mapping: object = None) -> list[str]:
    """What is wrong, place by place."""
    mapping = mapping or (GRAPHQL_MAPPING if kind == "GRAPHQL" else REST_MAPPING)
    return sorted(".".join(flaw.path) for flaw in check(kind, settings, mapping, SURROUNDINGS))


@pytest.mark.parametrize(("kind", "settings"), [("GRAPHQL", GRAPHQL_SETTINGS), ("REST", REST_SETTINGS)])
def test_the_invented_organisations_settings_have_no_flaw(kind: str, settings: object) -> None:
    """What the demonstration uses is right."""
    assert flaws(kind, settings) == []


def test_settings_and_mapping_are_checked_together() -> None:
    """All that is wrong with a feed is told at once."""
    wrong = {"auth": {"scheme": "bearer", "secret": "Not A Name!"}, "url": "ftp://x", "pageSize": 0, "colour": 1}

    assert flaws("GRAPHQL", wrong, {"sourceId": "id["}) == [
        "mapping.sourceId.path",
        "settings.auth.secret",
        "settings.colour",
        "settings.connection",
        "settings.pageSize",
        "settings.query",
        "settings.url",
    ]


@pytest.mark.parametrize("settings", [None, [], "x", {}, {"url": 3}])
def test_settings_of_another_shape_are_told_so(settings: object) -> None:
    """For every kind."""
    assert all(flaws(kind, settings) for kind in KINDS)


def test_a_secret_given_by_value_is_not_repeated() -> None:
    """The commonest mistake must not put the secret into an error."""
    value = "eyJhbGciOi.SECRET-VALUE"
    found = check("REST", {**REST_SETTINGS, "auth": {"scheme": "bearer", "secret": value}}, REST_MAPPING, SURROUNDINGS)
    found += check("REST", {**REST_SETTINGS, "auth": {"scheme": value}}, REST_MAPPING, SURROUNDINGS)

    assert len(found) == 2
    assert not any("SECRET" in str(flaw) for flaw in found)


@pytest.mark.parametrize(
    ("kind", "auth"),
    [("REST", {"scheme": "login", "user": "a", "secret": "b"}), ("GRAPHQL", {"scheme": "hub", "clientId": "a", "secret": "b"}),
     ("KOBO", {"scheme": "none"}), ("CSV", {"scheme": "ssh", "user": "a", "secret": "b", "hostKey": "ssh-ed25519 AAAA"})],
)  # fmt: skip
def test_a_way_in_that_is_not_the_kinds_is_refused(kind: str, auth: dict[str, str]) -> None:
    """Nobody is asked without a credential because another one was described."""
    found = flaws(kind, {"url": "https://sister.example/x", "auth": auth}, {"sourceId": "id"})

    assert any(place.startswith("settings.auth") for place in found)


def test_a_sample_is_tried_when_a_mapping_is_read() -> None:
    """Every rule has to find something in it; what it holds is not repeated, and changes nothing else."""
    mapping = {
        "sourceId": "id",
        "origin": "land",
        "person": {"profile": {"works": {"each": "w", "fields": {"title": "t"}}}},
    }
    sampled = [
        {**mapping, "sample": sample}
        for sample in ({"id": "SECRET"}, {"land": "NO"}, {"id": 1, "land": "NO", "w": [{"t": "x"}]})
    ]
    found = [check("REST", REST_SETTINGS, each, SURROUNDINGS) for each in sampled]

    assert [[".".join(flaw.path) for flaw in each] for each in found] == [
        ["mapping.origin", "mapping.person.profile.works.fields.title"],
        ["mapping.sample"],
        [],
    ]
    assert "SECRET" not in repr(found)
    rules = [connect("REST", REST_SETTINGS, each, SURROUNDINGS).rules for each in (mapping, sampled[2])]
    assert rules[0] == rules[1]


@pytest.mark.parametrize("url", ["http://sister.example/x", "https://10.0.0.1/x", "http://127.0.0.1:9999/x"])
def test_a_plain_or_private_url_has_to_be_allowed_by_name(url: str) -> None:
    """The message says by which setting."""
    (flaw,) = check("REST", {**REST_SETTINGS, "url": url}, REST_MAPPING, SURROUNDINGS)

    assert "HUB_FEED_PRIVATE_HOSTS" in flaw.message


@pytest.mark.parametrize("url", ["https://user:word@sister.example/x", "https://", "sister.example", "https://a b/"])
def test_a_url_that_is_none_or_carries_credentials_is_refused(url: str) -> None:
    """Credentials are secrets, and secrets have names."""
    assert flaws("REST", {**REST_SETTINGS, "url": url}) == ["settings.url"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("query {", "not GraphQL (line 1"),
        ("mutation M { a }", "one query operation"),
        ("query A { a } query B { b }", "one query operation"),
        (QUERY.replace("$after: String, ", "").replace("after: $after, ", ""), "must declare the variable $after"),
        (QUERY.replace("$first: Int!", "$first: Int!, $desk: ID!"), "needs $desk"),
        (QUERY.replace("hasNextPage", ""), "must select referrals.pageInfo.hasNextPage"),
        (QUERY.replace("referrals(", "cases(", 1), "must select referrals.edges.node"),
    ],
)
def test_an_operation_that_cannot_be_paged_is_told_so(query: str, said: str) -> None:
    """Before the first request, not after the last page."""
    found = check("GRAPHQL", {**GRAPHQL_SETTINGS, "query": query}, GRAPHQL_MAPPING, SURROUNDINGS)

    assert any(said in flaw.message for flaw in found)


def test_expressions_in_settings_are_checked() -> None:
    """As those in mappings are."""
    paging = {**REST_SETTINGS["paging"], "more": "has_more ==", "path": "next("}

    assert flaws("REST", {**REST_SETTINGS, "records": "[", "paging": paging}) == [
        "settings.paging.more",
        "settings.paging.path",
        "settings.records",
    ]


def test_a_kind_that_cannot_be_read_yet_is_told_so() -> None:
    """With those that can."""
    with pytest.raises(ConfigurationError, match="choose from GRAPHQL, REST, KOBO"):
        connect("FAX", {}, {}, SURROUNDINGS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_describes_its_settings(kind: Any) -> None:
    """As a JSON Schema that can be printed."""
    assert b"secret" in msgspec.json.encode(kind.schema())


def test_settings_and_mapping_make_the_rules() -> None:
    """A change of either means that everything has to be read anew."""
    one = connect("REST", REST_SETTINGS, REST_MAPPING, SURROUNDINGS)
    same = connect("REST", dict(REST_SETTINGS), dict(REST_MAPPING), SURROUNDINGS)
    moved = connect("REST", {**REST_SETTINGS, "records": "items"}, REST_MAPPING, SURROUNDINGS)
    mapped = connect("REST", REST_SETTINGS, {**REST_MAPPING, "origin": "land"}, SURROUNDINGS)

    assert one.rules == same.rules
    assert len({one.rules, moved.rules, mapped.rules}) == 3


def test_secrets_come_from_files_by_name(tmp_path: Path) -> None:
    """White space around is dropped; what is no name, not there, empty or unprintable is missing."""
    (tmp_path / "pen-api").write_text("s3cret\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "split").write_text("a\r\nX-Evil: 1")
    secrets = from_directory(tmp_path)

    assert secrets("pen-api") == "s3cret"
    for name in ("absent", "empty", "split", "../pen-api", "/etc/hostname", "Pen-Api", "pen-api\n", ""):
        with pytest.raises(FeedProblem) as caught:
            secrets(name)
        assert caught.value.code is ProblemCode.SECRET_MISSING


def test_secrets_come_from_the_environment_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whichever source has it first."""
    monkeypatch.setenv("HUB_SECRET_PEN_API", "s3cret")

    assert from_environment()("pen-api") == "s3cret"
    assert either(from_directory(tmp_path), from_environment())("pen-api") == "s3cret"


async def test_a_missing_secret_is_a_problem_of_the_pull() -> None:
    """Secrets are read when they are used, so that they can be changed while the hub runs."""

    def missing(_: str) -> str:
        raise FeedProblem(ProblemCode.SECRET_MISSING)

    connector = connect("GRAPHQL", GRAPHQL_SETTINGS, GRAPHQL_MAPPING, Surroundings(missing, HOSTS))

    with pytest.raises(FeedProblem) as caught:
        await anext(connector.pull(Cursor()))
    assert caught.value.code is ProblemCode.SECRET_MISSING


async def test_secrets_are_not_shown() -> None:
    """In no representation that a log or a traceback could print."""
    shower = credential(BearerAuth(secret="name"), SURROUNDINGS.secrets, lambda url: Endpoint(URL(url)))
    endpoint = Endpoint(URL(REST_SETTINGS["url"]), shower)
    shown = repr((shower, SURROUNDINGS, endpoint, connect("REST", REST_SETTINGS, REST_MAPPING, SURROUNDINGS)))

    assert await shower.headers() == {"Authorization": "Bearer s3cret-value"}
    assert "s3cret" not in shown
