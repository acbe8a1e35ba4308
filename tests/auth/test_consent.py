"""The page on which a person lets an app act: who is asked, what is said, and where the answer goes."""

from urllib.parse import urlencode, urlsplit

import httpx2
import pytest

from auth.scopes import Scope
from tests.auth.app import CALLBACK, App, make_app
from tests.auth.asking import PATH, path, somebody, went
from tests.auth.kit import ISSUER, World
from tests.auth.people.browser import Browser

GONE = "has run out, was answered already, or is not for you"


async def test_a_person_lets_an_app_act(app: App) -> None:
    """From the pushed request to a token in her name; the answer goes back with state and iss (RFC 9207), by 303."""
    sara = await somebody(app, "Sara")
    page = await sara.open(path(await app.pushed()))
    where, told = went(await sara.send(sara.form(PATH), answer="yes"))
    tokens = (await app.redeem(told["code"])).json()

    assert page.status_code == 200
    assert (where, told["state"], told["iss"]) == (CALLBACK, "state-1", ISSUER)
    assert set(told) == {"code", "state", "iss"}
    assert tokens["scope"] == "cases:read referrals:read"


async def test_the_page_says_who_asks_for_what_in_plain_words(app: App) -> None:
    """FAPI 2.0, 5.3.2.2, point 13: the app, whose it is, where one goes afterwards, who is signed in, and every scope in words."""
    await app.database.admin("update hub.client set name = 'Desk <b>& more' where client_id = 'pen-app'")
    sara = await somebody(app, "Sara")
    text = (await sara.open(path(await app.pushed(scope="cases:read statistics:read")))).text

    assert "<b>Desk &lt;b&gt;&amp; more</b> of <b>Northlight PEN Centre</b>" in text
    assert "signed in as <b>Sara</b>" in text
    assert "you go back to app.pen.example" in text
    assert Scope.CASES_READ.description in text
    # Neither what she may not do nor what was not asked for.
    assert Scope.STATISTICS_READ.description not in text
    assert Scope.REFERRALS_READ.description not in text


async def test_a_person_says_no(app: App) -> None:
    """The app hears access_denied, and its request is used up."""
    sara = await somebody(app, "Sara")
    request_uri = await app.pushed()
    await sara.open(path(request_uri))
    where, told = went(await sara.send(sara.form(PATH), answer="no"))

    assert (where, told) == (CALLBACK, {"error": "access_denied", "state": "state-1", "iss": ISSUER})
    assert GONE in (await sara.open(path(request_uri))).text


async def test_a_request_is_answered_once(app: App) -> None:
    """Request_uri reuse: the page may be loaded as often as one likes, the form counts once."""
    sara = await somebody(app, "Sara")
    request_uri = await app.pushed()
    for _ in range(2):
        assert (await sara.open(path(request_uri))).status_code == 200
    form = sara.form(PATH)
    first, second = [await sara.send(form, answer="yes") for _ in range(2)]

    assert went(first)[0] == CALLBACK
    assert second.headers["location"] == path(request_uri)
    assert GONE in (await sara.open(path(request_uri))).text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "client_id=pen-app",
        "client_id=pen-app&request_uri=",
        "client_id=pen-app&request_uri=urn:ietf:params:oauth:request_uri:unknown",
        "client_id=pen-app&request_uri=https://attacker.example/request",
        "client_id={app}&request_uri={uri}&redirect_uri=https://attacker.example/",
        "client_id={app}&request_uri={uri}&scope=cases:identity",
        "client_id={app}&request_uri={uri}&request_uri={uri}",
        "client_id={app}&client_id={app}&request_uri={uri}",
        "client_id=pen-centre&request_uri={uri}",
        "client_id=nobody&request_uri={uri}",
        "client_id={app}&request_uri={uri}%ff",
        "client_id={app}&response_type=code&redirect_uri=https://attacker.example/&state=x",
        "response_type=code&client_id={app}&redirect_uri=https%3A%2F%2Fapp.pen.example%2Fcallback&code_challenge=x",
    ],
)
async def test_what_was_not_pushed_leads_nowhere(app: App, query: str) -> None:
    """No open redirector, no request without PAR, no parameter beside the two: a page that says so, and no word of the URL."""
    sara = await somebody(app, "Sara")
    query = query.replace("{app}", "pen-app").replace("{uri}", await app.pushed())
    signed_in = await sara.http.get(f"{ISSUER}{PATH}?{query}")
    stranger = await app.world.http.get(f"{ISSUER}{PATH}?{query}")

    for answer in (signed_in, stranger):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "attacker" not in answer.text
        assert GONE in answer.text


async def test_an_unknown_client_a_wrong_one_and_a_used_request_look_alike(app: App) -> None:
    """One statement and one page for all of them."""
    request_uri = await app.pushed()
    asked = [path(request_uri, "nobody"), path(request_uri, "pen-centre"), path("urn:ietf:params:oauth:request_uri:x")]
    answers = [await app.world.http.get(ISSUER + each) for each in asked]

    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


async def test_whoever_is_not_signed_in_signs_in_first(app: App) -> None:
    """And comes back to the same question; what is posted without a session is not done."""
    sara = await somebody(app, "Sara")
    request_uri = await app.pushed()
    await sara.open("/account")
    await sara.submit("/sign-out")
    page = await sara.open(path(request_uri))
    assert urlsplit(str(page.url)).path == "/sign-in"
    page = await sara.show_passkey()

    assert page.status_code == 200
    assert "May this app act for you?" in page.text
    form = sara.form(PATH)
    await sara.http.aclose()
    other = Browser(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.world.app)))
    assert (await other.send(form, answer="yes")).status_code == 400


async def test_a_form_of_another_site_is_not_answered(app: App) -> None:
    """CSRF: without this browser's own token, from elsewhere, or with a token of another browser, nothing is approved."""
    sara, omar = await somebody(app, "Sara"), await somebody(app, "Omar")
    await sara.open(path(await app.pushed()))
    form = sara.form(PATH)
    await omar.open(path(await app.pushed()))
    stolen = omar.form(PATH).fields["form"]
    answers = [
        await sara.send(form, answer="yes", form=""),
        await sara.send(form, answer="yes", form=stolen),
        await sara.send(form, answer="yes", site="cross-site"),
        await sara.http.get(ISSUER + PATH, params={**form.fields, "answer": "yes"}),
        await sara.http.post(ISSUER + PATH, content=urlencode([*form.fields.items(), ("answer", "yes"), ("answer", "no")]),
                             headers={"content-type": "application/x-www-form-urlencoded"}),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [400] * 5
    assert await app.world.pool.fetchval("select count(*) from auth.approval") == 0


async def test_a_stolen_request_is_nobody_elses(app: App) -> None:
    """Request_uri theft: whoever opened it first is the one who is asked, and another's form for it does nothing."""
    sara, mallory = await somebody(app, "Sara"), await somebody(app, "Mallory")
    request_uri = await app.pushed()
    await sara.open(path(request_uri))
    stolen = await mallory.open(path(request_uri))
    await mallory.open(path(await app.pushed()))
    forged = await mallory.send(mallory.form(PATH), answer="yes", request_uri=request_uri)

    assert (stolen.status_code, GONE in stolen.text) == (400, True)
    assert forged.headers["location"] == path(request_uri)
    assert await app.world.pool.fetchval("select count(*) from auth.approval") == 0
    assert went(await sara.send(sara.form(PATH), answer="yes"))[0] == CALLBACK


async def test_people_of_other_organisations_are_not_asked(app: App) -> None:
    """An app acts for the organisation that it belongs to."""
    rows = await app.database.admin(
        "insert into hub.organisation (code, name, kind) values ($1, 'Arts Haven', 'SISTER') returning id", "arts-haven"
    )
    amina = await somebody(app, "Amina", rows[0]["id"])

    assert GONE in (await amina.open(path(await app.pushed()))).text


async def test_what_is_not_hers_to_give_cannot_be_allowed(app: App) -> None:
    """The page says so and has one button; a form that says yes all the same does nothing."""
    sara = await somebody(app, "Sara")
    page = await sara.open(path(await app.pushed(scope="statistics:read")))

    assert "not yours to give" in page.text
    assert ">Allow</button>" not in page.text
    assert (
        (await sara.send(sara.form(PATH), answer="yes", scope="statistics:read")).headers["location"].startswith(PATH)
    )


async def test_nobody_can_frame_the_page_or_send_its_form_elsewhere(app: App) -> None:
    """Clickjacking: no frame; the form leads to the hub and to the one place that the app registered; nothing is kept or told on."""
    sara = await somebody(app, "Sara")
    page = await sara.open(path(await app.pushed()))
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))

    assert policy["frame-ancestors"] == policy["default-src"] == "'none'"
    assert policy["form-action"] == "'self' https://app.pen.example"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in page.headers


async def test_every_redirect_is_a_303_that_tells_nobody_where_one_was(app: App) -> None:
    """FAPI 2.0, 5.3.2.2, points 10 and 11: never 307, which would send the form on; no referrer, nothing stored."""
    sara = await somebody(app, "Sara")
    await sara.open(path(await app.pushed()))
    yes = await sara.send(sara.form(PATH), answer="yes")
    await sara.open(path(await app.pushed()))
    no = await sara.send(sara.form(PATH), answer="no")
    first = await app.world.http.get(ISSUER + path(await app.pushed()))

    assert [answer.status_code for answer in (yes, no, first)] == [303] * 3
    assert {answer.headers["cache-control"] for answer in (yes, no, first)} == {"no-store"}
    assert {answer.headers["referrer-policy"] for answer in (yes, no, first)} == {"no-referrer"}


async def test_a_place_with_a_query_and_an_app_without_a_state_are_answered(world: World, app: App) -> None:
    """What was registered stays as it is; what was not sent does not come back."""
    made = await make_app(world, app.database, app.people, "query-app", redirect_uris=[f"{CALLBACK}?app=1"])
    sara = await somebody(app, "Sara")
    await sara.open(path(await made.pushed(redirect_uri=f"{CALLBACK}?app=1", state=None), "query-app"))
    where, told = went(await sara.send(sara.form(PATH), answer="yes"))

    assert (where, told["app"], told["iss"]) == (CALLBACK, "1", ISSUER)
    assert "state" not in told


async def test_no_log_line_and_no_error_page_holds_what_a_browser_carried(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither codes nor references nor names."""
    sara = await somebody(app, "Sara")
    request_uri = await app.pushed()
    await sara.open(path(request_uri))
    _, told = went(await sara.send(sara.form(PATH), answer="yes"))
    await app.redeem(told["code"])
    await app.redeem(told["code"])
    printed = "".join(capsys.readouterr())

    for secret in (told["code"], request_uri.rpartition(":")[2], "Sara"):
        assert secret not in printed
