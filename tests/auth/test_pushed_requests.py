"""Pushed authorization requests (RFC 9126): what is taken, and what never gets as far as a browser."""

from urllib.parse import urlencode

import httpx2
import pytest

from auth.clients import RegistrationRefusedError, set_use
from tests.auth.app import CALLBACK, CHALLENGE, PAR_URL, App, make_app
from tests.auth.kit import ASSERTION_TYPE, World, ec_key


async def test_a_good_request_is_kept_for_a_minute_and_a_half(app: App) -> None:
    """The answer is 201 and a request_uri that nobody can guess; what is stored of it is a digest (FAPI 2.0, 5.3.2.2)."""
    answer = await app.push()
    body = answer.json()
    stored = await app.world.pool.fetchval("select p::text from auth.pushed_request p")

    assert (answer.status_code, body["expires_in"]) == (201, 90)
    assert body["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert len(reference := body["request_uri"].rpartition(":")[2]) == 43
    assert reference not in stored
    assert answer.headers["cache-control"] == "no-store"
    app.world.clock.now += 91
    assert await app.world.server.grants.opened(app.client_id, body["request_uri"], app.person) is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": f"{CALLBACK}/"}, "invalid_request"),
        ({"redirect_uri": f"{CALLBACK}?x=1"}, "invalid_request"),
        ({"redirect_uri": CALLBACK.replace("https", "http")}, "invalid_request"),
        ({"redirect_uri": CALLBACK.upper()}, "invalid_request"),
        ({"redirect_uri": "https://app.pen.example.attacker.example/callback"}, "invalid_request"),
        ({"redirect_uri": "https://app.pen.example@attacker.example/callback"}, "invalid_request"),
        ({"redirect_uri": "https://attacker.example/"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"dpop_jkt": None}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"state": "s" * 513}, "invalid_request"),
        ({"state": "a\nb"}, "invalid_request"),
        ({"scope": "cases:identity"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"prompt": "none"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"acr_values": "urn:password"}, "unmet_authentication_requirements"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://attacker.example/request"}, "invalid_request"),
        ({"client_id": "pen-centre"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_request"),
        ({"client_assertion": "nonsense"}, "invalid_client"),
    ],
)
async def test_a_request_that_is_not_as_it_must_be_is_refused(
    app: App, changes: dict[str, str | None], error: str
) -> None:
    """With an error to the client itself, never a redirect, and nothing is kept; no word of the request comes back."""
    answer = await app.push(**changes)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert "location" not in answer.headers
    assert "attacker" not in answer.text
    assert "nonsense" not in answer.text
    assert await app.world.pool.fetchval("select count(*) from auth.pushed_request") == 0


@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "scope", "code_challenge", "unknown"])
async def test_a_parameter_may_come_once(app: App, name: str) -> None:
    """RFC 6749, 3.1: even an unknown one."""
    form = [*app.wish().items(), ("client_assertion_type", ASSERTION_TYPE), ("unknown", "x")]
    form.append(("client_assertion", app.world.assertion(key=app.key, iss=app.client_id, sub=app.client_id)))
    body = urlencode([*form, (name, "x")])
    answer = await app.world.http.post(
        PAR_URL, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_nobody_pushes_a_request_without_showing_who_they_are(app: App) -> None:
    """FAPI 2.0, 5.3.2.2, point 4: a client id alone is not enough."""
    answer = await app.world.http.post(PAR_URL, data=app.wish())

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "client_assertion" in answer.json()["error_description"]


async def test_a_proof_binds_the_code_as_well_as_a_thumbprint(app: App) -> None:
    """RFC 9449, 10.1: the DPoP header alone will do; with a thumbprint beside it both must agree; and it is good once."""
    proof = app.world.proof(app.proof_key, htu=PAR_URL)
    good = await app.send(PAR_URL, app.wish(dpop_jkt=None), proof=proof)
    again = await app.send(PAR_URL, app.wish(dpop_jkt=None), proof=proof)
    other = await app.send(PAR_URL, app.wish(), proof=app.world.proof(ec_key(), htu=PAR_URL))
    elsewhere = await app.send(PAR_URL, app.wish(), proof=app.world.proof(app.proof_key))

    assert good.status_code == 201
    assert [answer.json()["error"] for answer in (again, other, elsewhere)] == [
        "invalid_dpop_proof",
        "invalid_request",
        "invalid_dpop_proof",
    ]


async def test_a_client_without_a_place_to_return_to_cannot_ask_people(world: World, app: App) -> None:
    """Machines have no people: their clients stay with client_credentials."""
    machine = App(world, app.database, app.people, app.person, app.cookie, "pen-centre", world.key)
    answer = await machine.push()

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_pushing_takes_from_the_clients_budget(app: App) -> None:
    """So that nobody fills the table."""
    for _ in range(60):
        await app.pushed()
    answer = await app.push()

    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_what_a_client_that_has_shown_who_it_is_gets_wrong_is_no_strangers_doing(app: App) -> None:
    """It is told, and nobody from there has to wait; one that fails to show who it is counts as ever."""
    strangers = app.people.strangers
    transport = httpx2.ASGITransport(app=app.world.app, client=("8.8.8.8", 50_000))
    async with httpx2.AsyncClient(transport=transport) as app.world.http:
        await app.push(redirect_uri="https://attacker.example/")
        after_mistake = strangers.watching
        await app.push(client_assertion="nonsense")

    assert (after_mistake, strangers.watching) == (False, True)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:52110/callback", "http://127.0.0.1/callback"])
async def test_an_app_on_the_persons_own_machine_may_listen_on_any_port(app: App, uri: str) -> None:
    """RFC 8252, 7.3."""
    await set_use(app.world.pool, app.client_id, redirect_uris=["http://127.0.0.1/callback"])

    assert (await app.push(redirect_uri=uri)).status_code == 201


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:052110/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:52110/other",
        "http://127.0.0.1:x@attacker.example/callback",
        "http://localhost:52110/callback",
        "http://127.0.0.2:52110/callback",
        "http://127.0.0.1:52110/callback#fragment",
    ],
)
async def test_but_nothing_else_may_differ(app: App, uri: str) -> None:
    """Another path, host or name, or a port written in a way of its own."""
    await set_use(app.world.pool, app.client_id, redirect_uris=["http://127.0.0.1/callback"])

    assert (await app.push(redirect_uri=uri)).status_code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.pen.example/callback",
        "http://localhost/callback",
        "http://127.0.0.1:8080/callback",
        "https://app.pen.example",
        "https://app.pen.example/callback#here",
        "https://user@app.pen.example/callback",
        "https:///callback",
        "javascript:alert(1)",
        "app.pen:/callback",
        "https://app.pen.example/" + "x" * 400,
        "https://app.pen.example/ü",
        "https://[::1/callback",
        "http://[::1]/callback",
        "https://app;script-src/callback",
        "https://APP.pen.example/callback",
    ],
)
async def test_a_place_that_is_not_safe_to_return_to_is_not_registered(app: App, uri: str) -> None:
    """FAPI 2.0, 5.3.2.2, point 8: https, or an address of the person's own machine."""
    with pytest.raises(RegistrationRefusedError, match="redirect_uris: number 1"):
        await set_use(app.world.pool, app.client_id, redirect_uris=[uri])


async def test_a_request_is_its_clients_and_its_persons_alone(world: World, app: App) -> None:
    """Whoever opens it first is the only one who can approve it; under another client's id there is no such request."""
    request_uri, grants = await app.pushed(), world.server.grants
    thief = (await make_app(world, app.database, app.people, "other-app")).person
    assert await grants.waiting("pen-centre", request_uri) is None
    assert await grants.opened("pen-centre", request_uri, app.person) is None
    assert await grants.opened(app.client_id, request_uri, app.person)
    assert await grants.opened(app.client_id, request_uri, thief) is None
    assert await grants.approve(app.client_id, request_uri, thief, ["cases:read"]) is None
    assert await grants.refuse(app.client_id, request_uri, thief) is None
    assert await grants.approve(app.client_id, request_uri, app.person, ["cases:read"])


async def test_a_request_is_used_up_by_the_answer_and_not_by_looking_at_it(app: App) -> None:
    """FAPI 2.0, 5.3.2.2, note 3: a page may be loaded again; an answer counts once, be it yes or no."""
    grants = app.world.server.grants
    yes, no = [(app.client_id, await app.pushed(), app.person) for _ in range(2)]
    for asker in (yes, no):
        assert await grants.opened(*asker)
        assert await grants.opened(*asker)

    assert await grants.approve(*yes, ["cases:read"])
    assert await grants.refuse(*no) == (CALLBACK, "state-1")
    for asker in (yes, no):
        assert await grants.opened(*asker) is None
        assert await grants.approve(*asker, ["cases:read"]) is None
