"""Why a token was refused: the operator's log says it, the caller hears the same in every case."""

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from auth.refusals import Reason
from tests.auth.app import App, make_app
from tests.auth.kit import ASSERTION_TYPE, ISSUER, NOON, TOKEN_URL, World, ec_key
from tests.conftest import Database

LATER = int(NOON)
FORM = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": "x"}
Asking = Callable[[World, Database], Awaitable[Any]]


async def disabled(world: World, database: Database) -> Any:
    """Ask as a client that was disabled."""
    await database.admin("update hub.client set status = 'DISABLED'")
    return await world.ask_token()


async def suspended(world: World, database: Database) -> Any:
    """Ask as a client whose organisation was suspended."""
    await database.admin("update hub.organisation set suspended_at = now()")
    return await world.ask_token()


async def again(world: World, _: Database) -> Any:
    """Use an assertion twice."""
    assertion = world.assertion()
    await world.ask_token(assertion)
    return await world.ask_token(assertion)


async def proven_again(world: World, _: Database) -> Any:
    """Use a proof twice."""
    proof = world.proof(ec_key())
    await world.ask_token(proof=proof)
    return await world.ask_token(proof=proof)


def claiming(**claims: Any) -> Asking:
    """Ask with these claims."""

    async def ask(world: World, _: Database) -> Any:
        return await world.ask_token(world.assertion(**claims))

    return ask


def with_key(kid: str) -> Asking:
    """Ask with a key that nobody registered."""

    async def ask(world: World, _: Database) -> Any:
        return await world.ask_token(world.assertion(key=ec_key(kid)))

    return ask


def sending(**form: str) -> Asking:
    """Ask with more in the form."""

    async def ask(world: World, _: Database) -> Any:
        return await world.ask_token(**form)

    return ask


async def nonsense(world: World, _: Database) -> Any:
    """Ask with what is no JWT."""
    return await world.ask_token("nonsense")


async def unproven(world: World, _: Database) -> Any:
    """Ask with what is no proof."""
    return await world.ask_token(proof="nonsense")


def as_an_app(what: Callable[[App], Awaitable[Any]]) -> Asking:
    """Ask as an app with which somebody has signed in."""

    async def ask(world: World, database: Database) -> Any:
        client_id = f"app-{secrets.token_hex(4)}"
        app = await make_app(world, database, world.app.state.people, client_id)
        return await what(app)

    return ask


async def another_place(app: App) -> Any:
    """Ask to be sent somewhere that nobody registered."""
    return await app.push(redirect_uri="https://attacker.example/")


async def another_code(app: App) -> Any:
    """Ask with what is no code."""
    return await app.redeem("nonsense")


async def another_key(app: App) -> Any:
    """Ask with the proof of a key that the code is not bound to."""
    return await app.redeem(await app.code(), proof_key=ec_key())


async def a_second_time(app: App) -> Any:
    """Use a code twice."""
    code = await app.code()
    await app.redeem(code)
    return await app.redeem(code)


CASES: list[tuple[Asking, Reason, str | None]] = [
    (nonsense, Reason.BAD_ASSERTION, None),
    (claiming(aud=[ISSUER]), Reason.BAD_ASSERTION, None),
    (claiming(aud=TOKEN_URL), Reason.BAD_AUDIENCE, "pen-centre"),
    (as_an_app(another_code), Reason.BAD_GRANT, "app"),
    (claiming(iss="other"), Reason.BAD_ISSUER, "pen-centre"),
    (sending(client_id="other"), Reason.BAD_ISSUER, "pen-centre"),
    (claiming(jti=""), Reason.BAD_JTI, "pen-centre"),
    (unproven, Reason.BAD_PROOF, None),
    (as_an_app(another_place), Reason.BAD_REDIRECT, "app"),
    (with_key("key-1"), Reason.BAD_SIGNATURE, "pen-centre"),
    (disabled, Reason.CLIENT_DISABLED, "pen-centre"),
    (claiming(iss="nobody", sub="nobody"), Reason.CLIENT_UNKNOWN, None),
    (as_an_app(a_second_time), Reason.CODE_REPLAYED, "app"),
    (claiming(exp=LATER), Reason.EXPIRED, "pen-centre"),
    (sending(grant_type=""), Reason.UNAUTHORIZED, None),
    (sending(client_secret="x"), Reason.INVALID_REQUEST, None),
    (sending(scope="cases:identity"), Reason.INVALID_SCOPE, "pen-centre"),
    (again, Reason.JTI_USED, "pen-centre"),
    (with_key("another"), Reason.KEY_UNKNOWN, "pen-centre"),
    (claiming(exp=LATER + 301), Reason.LIVES_TOO_LONG, "pen-centre"),
    (claiming(nbf=LATER + 61), Reason.NOT_YET_VALID, "pen-centre"),
    (as_an_app(another_key), Reason.OTHER_KEY, "app"),
    (suspended, Reason.ORGANISATION_SUSPENDED, "pen-centre"),
    (proven_again, Reason.PROOF_USED, "pen-centre"),
]


@pytest.mark.parametrize(("ask", "reason", "client"), CASES, ids=[f"{case[1]}-{n}" for n, case in enumerate(CASES)])
async def test_a_refusal_leaves_one_line_with_its_reason(
    world: World, database: Database, ask: Asking, reason: Reason, client: str | None
) -> None:
    """And the id of a registered client; a stranger's is its own word and is not written down."""
    with capture_logs() as lines:
        answer = await ask(world, database)

    assert answer.status_code == 400
    assert "attacker" not in answer.text
    (line,) = lines
    if client == "app":
        assert line["client"].startswith("app-")
        client = line["client"]
    assert line == {"event": "oauth.refused", "log_level": "warning", "code": reason.value, "client": client}
    assert "nobody" not in json.dumps(lines)


def test_every_reason_is_tried_here() -> None:
    """None is a word that nothing leads to."""
    assert {case[1] for case in CASES} == set(Reason)


async def test_of_a_code_that_is_not_good_an_app_hears_the_same_whatever_the_reason(
    world: World, database: Database
) -> None:
    """Unknown, used, or bound to another key."""
    answers = [await as_an_app(what)(world, database) for what in (another_code, another_key, a_second_time)]

    assert len({(answer.status_code, answer.content, str(sorted(answer.headers.items()))) for answer in answers}) == 1


async def test_who_is_not_let_in_hears_the_same_whatever_the_reason(world: World, database: Database) -> None:
    """Status, headers and body, byte for byte: nobody learns which clients there are."""
    heard = set()
    for ask, reason, _ in CASES:
        if reason in (
            Reason.PROOF_USED,
            Reason.BAD_PROOF,
            Reason.BAD_GRANT,
            Reason.BAD_REDIRECT,
            Reason.CODE_REPLAYED,
            Reason.OTHER_KEY,
            Reason.INVALID_REQUEST,
            Reason.INVALID_SCOPE,
            Reason.UNAUTHORIZED,
        ):
            continue
        await database.admin("update hub.client set status = 'ACTIVE'; update hub.organisation set suspended_at = null")
        answer = await ask(world, database)
        heard.add((answer.status_code, answer.content, str(sorted(answer.headers.items()))))

    assert len(heard) == 1


@pytest.mark.parametrize(
    "missing", [("client_assertion",), ("client_assertion_type", "client_assertion"), ("grant_type",)]
)
async def test_a_missing_parameter_is_named(world: World, missing: tuple[str, ...]) -> None:
    """All that are missing, at once."""
    answer = await world.send(
        TOKEN_URL, urlencode({name: value for name, value in FORM.items() if name not in missing})
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["error_description"] == f"Missing from the form: {', '.join(missing)}."


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({"content-type": "application/json"}, "{}", "Content-Type: application/x-www-form-urlencoded"),
        ({"authorization": "Basic eA=="}, "grant_type=x", "without an Authorization header"),
        ({}, "grant_type=x&grant_type=x", "more than once"),
        ({}, "grant_type=x&client_secret=marker", "client_secret is not taken"),
        ({}, "a=" + "b" * 40_000, "longer than 32768 bytes"),
    ],
)
async def test_what_is_wrong_with_a_form_is_said(world: World, headers: dict[str, str], body: str, said: str) -> None:
    """In words of our own, never with what was sent."""
    answer = await world.send(TOKEN_URL, body, **headers)

    assert answer.json()["error"] == "invalid_request"
    assert said in answer.json()["error_description"]
    assert "marker" not in answer.text


async def test_a_fault_of_the_server_is_told_as_oauth_tells_it(world: World, database: Database) -> None:
    """A signing key that does not open: 500, server_error; the log has what kind of fault and where, not its text."""
    await database.admin(
        "insert into auth.signing_key values ('x', 'ES256', '{}', $1, '1', now())", secrets.token_bytes(40)
    )
    with capture_logs() as lines:
        answers = [await world.ask_token(), await world.http.get(f"{ISSUER}/oauth/jwks")]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(500, "server_error")] * 2
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert [line["event"] for line in lines] == ["oauth.fault"] * 2
