"""Signing in through an organisation's own OpenID provider: linked by an invitation, pinned to one issuer, and never as anybody else."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import httpx2
import pytest

from auth.people.provider import OpenId, Provider
from tests.auth.kit import ISSUER, rsa_key
from tests.auth.people.browser import Browser
from tests.auth.people.kit import House
from tests.auth.people.provider import ISSUER as THEIRS
from tests.auth.people.provider import SECRET, FakeProvider, other_key

CALLBACK = "/sign-in/through/pen-centre"


@pytest.fixture
async def idp(house: House) -> FakeProvider:
    """The PEN Centre's provider."""
    made = FakeProvider(house.clock)
    house.people.openid = OpenId(ISSUER, made.fetch, {"pen-login": SECRET}.__getitem__, house.clock)
    await house.pool.execute(
        "insert into auth.provider (organisation, issuer, client_id, secret) values ($1, $2, 'the-hub', 'pen-login')",
        house.organisations["pen-centre"],
        THEIRS,
    )
    return made


def link(page: httpx2.Response) -> str:
    """Return where the page leads to."""
    (found,) = re.findall(r'href="(https://login[^"]+)"', page.text)
    return unescape(found)


async def back(browser: Browser, answer: dict[str, str], path: str = CALLBACK) -> httpx2.Response:
    """Come back from the provider."""
    browser.page = await browser.http.get(ISSUER + path, params=answer, follow_redirects=True)
    return browser.page


async def asked(browser: Browser, **form: str) -> str:
    """Set out to sign in; return the link to the provider."""
    await browser.open("/sign-in/through")
    return link(await browser.submit("/sign-in/through", **{"organisation": "pen-centre", **form}))


async def joined(house: House, idp: FakeProvider, name: str = "Sara") -> Browser:
    """Take an invitation up with the organisation's sign-in."""
    browser, invited = house.browser(), await house.invite(name, "pen-centre", "PARTNER_STAFF")
    idp.sub = name.lower()
    await browser.offer(invited.token)
    page = await back(browser, idp.visit(link(await browser.submit("/sign-in/through"))))
    assert page.url.path == "/account", page.text
    return browser


async def test_somebody_joins_and_signs_in_through_their_organisation(house: House, idp: FakeProvider) -> None:
    """The invitation links who they are there; afterwards nothing but their organisation's sign-in is needed."""
    user = await house.who(await joined(house, idp))
    browser = house.browser()
    sent = await asked(browser, then="/account")
    page = await back(browser, idp.visit(sent))
    person = await house.people.sessions.person(browser.cookie() or "")

    assert "code_challenge_method=S256" in sent
    assert "response_type=code" in sent
    assert page.url.path == "/account"
    assert person is not None
    assert (person.user, person.means) == (user, "PROVIDER")


async def test_who_somebody_is_there_is_stored_as_a_digest(house: House, idp: FakeProvider) -> None:
    """Which account it is cannot be read in the database."""
    await joined(house, idp, "Quetzal")

    assert "quetzal" not in str(await house.pool.fetchval("select i::text from auth.identity i")).lower()


async def test_when_somebody_was_asked_is_what_their_organisation_says(house: House, idp: FakeProvider) -> None:
    """A sign-in there of this morning is not a fresh one here: what matters sends them back to be asked again."""
    browser = await joined(house, idp)
    house.clock.now += 7200
    idp.asked_at = house.clock.now - 3600
    await back(browser, idp.visit(await asked(browser, fresh="")))
    page = await browser.open("/account/passkeys/new")
    sent = link(await browser.submit("/sign-in/through"))
    stale = await back(browser, idp.visit(sent))
    idp.asked_at = None
    await browser.open("/account/passkeys/new")
    fresh = await back(browser, idp.visit(link(await browser.submit("/sign-in/through"))))

    assert page.url.path == "/sign-in"
    assert "max_age=0" in sent
    assert "prompt=login" in sent
    assert stale.status_code == 400
    assert fresh.url.path == "/account/passkeys/new"


async def test_another_person_there_is_not_oneself_shown_again(house: House, idp: FakeProvider) -> None:
    """Whoever signs in there as a colleague does not make this session fresh."""
    await joined(house, idp, "Omar")
    browser = await joined(house, idp, "Sara")
    house.clock.now += 301
    await browser.open("/account/passkeys/new")
    idp.sub = "omar"

    assert (await back(browser, idp.visit(link(await browser.submit("/sign-in/through"))))).status_code == 400


FORGERIES: dict[str, Callable[[FakeProvider], object]] = {
    "another nonce": lambda idp: idp.claims.update(nonce="x" * 43),
    "no nonce": lambda idp: idp.claims.update(nonce=None),
    "for another client": lambda idp: idp.claims.update(aud="another"),
    "for another client too": lambda idp: idp.claims.update(aud=["the-hub", "another"]),
    "another party": lambda idp: idp.claims.update(azp="another"),
    "of another issuer": lambda idp: idp.claims.update(iss="https://attacker.example"),
    "expired": lambda idp: idp.claims.update(exp=int(idp.clock()) - 61),
    "from the future": lambda idp: idp.claims.update(iat=int(idp.clock()) + 61),
    "old": lambda idp: idp.claims.update(iat=int(idp.clock()) - 901),
    "silent about when it asked": lambda idp: idp.claims.update(auth_time=None),
    "for nobody": lambda idp: idp.claims.update(sub=""),
    "signed by another key": lambda idp: setattr(idp, "signing", other_key()),
    "signed by a key of another kind": lambda idp: setattr(idp, "signing", rsa_key("idp")),
    "of a key that is not published": lambda idp: idp.header.update(kid="another"),
    "not signed": lambda idp: setattr(idp, "alg", "none"),
    "signed with what is published": lambda idp: setattr(idp, "alg", "HS256"),
    "an access token": lambda idp: idp.header.update(typ="at+jwt"),
    "from a provider that publishes another issuer": lambda idp: idp.metadata.update(issuer="https://attacker.example"),
    "from a provider with an endpoint in clear": lambda idp: idp.metadata.update(token_endpoint="http://login.pen-centre.example/token"),
    "from a provider that is away": lambda idp: setattr(idp, "away", True),
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGERIES)
async def test_an_answer_that_is_not_what_was_asked_for_lets_nobody_in(
    house: House, idp: FakeProvider, forged: str
) -> None:
    """In the words of any other refusal."""
    await joined(house, idp)
    browser = house.browser()
    sent = await asked(browser)
    answer = idp.visit(sent)
    FORGERIES[forged](idp)
    page = await back(browser, answer)

    assert page.status_code == 400
    assert "nothing was changed" in page.text
    assert await house.who(browser) is None


async def test_an_answer_is_good_in_the_browser_that_asked(house: House, idp: FakeProvider) -> None:
    """Nobody is signed in as an attacker by following his link, and no stolen code helps another browser."""
    await joined(house, idp)
    mallory, victim = house.browser(), house.browser()
    stolen = idp.visit(await asked(mallory))
    await asked(victim)

    assert (await back(victim, stolen)).status_code == 400
    assert (await back(house.browser(), stolen)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "x" * 43},
        {"state": ""},
        {"code": ""},
        {"iss": "https://attacker.example"},
        {"error": "access_denied", "code": ""},
    ],
)
async def test_an_answer_with_another_state_code_or_issuer_is_refused(
    house: House, idp: FakeProvider, changes: dict[str, str]
) -> None:
    """Also when the person said no."""
    await joined(house, idp)
    browser = house.browser()
    answer = idp.visit(await asked(browser))

    assert (await back(browser, {**answer, **changes})).status_code == 400


async def test_a_provider_that_names_itself_has_to(house: House, idp: FakeProvider) -> None:
    """RFC 9207: an answer without its name may be another provider's."""
    await joined(house, idp)
    idp.metadata["authorization_response_iss_parameter_supported"] = True
    browser = house.browser()
    answer = idp.visit(await asked(browser))
    del answer["iss"]

    assert (await back(browser, answer)).status_code == 400


async def test_an_answer_comes_back_where_it_was_asked_for_and_soon(house: House, idp: FakeProvider) -> None:
    """Each provider has an address of its own here, and ten minutes."""
    await joined(house, idp)
    browser = house.browser()
    answer = idp.visit(await asked(browser))
    elsewhere = await back(browser, answer, "/sign-in/through/arts-haven")
    house.clock.now += 601

    assert elsewhere.status_code == 400
    assert (await back(browser, answer)).status_code == 400


async def test_a_stranger_at_the_organisation_is_no_user_here(house: House, idp: FakeProvider) -> None:
    """An account there is not enough: somebody has to be invited."""
    await joined(house, idp)
    idp.sub = "mallory"
    browser = house.browser()

    assert (await back(browser, idp.visit(await asked(browser)))).status_code == 400
    assert await house.who(browser) is None


async def test_a_provider_vouches_for_its_own_organisation_alone(house: House, idp: FakeProvider) -> None:
    """Another organisation with the same provider cannot sign in its people as this one's, nor take up an invitation to it."""
    await joined(house, idp)
    await house.pool.execute(
        "insert into auth.provider (organisation, issuer, client_id, secret) values ($1, $2, 'the-hub', 'pen-login')",
        house.organisations["arts-haven"],
        THEIRS,
    )
    browser = house.browser()
    answer = idp.visit(await asked(browser, organisation="arts-haven"))

    assert (await back(browser, answer, "/sign-in/through/arts-haven")).status_code == 400


async def test_an_invitation_links_one_person_once(house: House, idp: FakeProvider) -> None:
    """Of two who come with it, the second is refused; and nobody becomes two users."""
    invited, browsers = await house.invite("Sara"), [house.browser(), house.browser()]
    sent = []
    for browser in browsers:
        await browser.offer(invited.token)
        sent.append(link(await browser.submit("/sign-in/through")))
    first = await back(browsers[0], idp.visit(sent[0]))
    idp.sub = "mallory"
    second = await back(browsers[1], idp.visit(sent[1]))
    idp.sub = "sara"
    other, omar = house.browser(), await house.invite("Omar")
    await other.offer(omar.token)
    third = await back(other, idp.visit(link(await other.submit("/sign-in/through"))))

    assert (first.status_code, second.status_code, third.status_code) == (200, 400, 400)


async def test_a_disabled_user_is_out_whatever_the_provider_says(house: House, idp: FakeProvider) -> None:
    """Disabling somebody here does not wait for their organisation."""
    browser = await joined(house, idp)
    await house.pool.execute("update hub.usr set status = 'DISABLED'")

    assert await house.who(browser) is None
    assert (await back(house.browser(), idp.visit(await asked(browser, fresh="")))).status_code == 400


async def test_a_recovered_person_is_no_longer_linked(house: House, idp: FakeProvider) -> None:
    """Whatever was a way in is none any more."""
    user = await house.who(await joined(house, idp))
    anna, ben = await house.user("Anna"), await house.user("Ben")
    await house.people.recoveries.ask(anna, str(user))
    recovery = await house.pool.fetchval("select id::text from auth.recovery")
    await house.people.recoveries.confirm(ben, recovery)

    assert await house.pool.fetchval("select count(*) from auth.identity") == 0


async def test_whoever_came_in_by_a_former_provider_is_signed_out(house: House, idp: FakeProvider) -> None:
    """An operator replaces one that is not to be trusted any more. A new secret at the same one signs nobody out, nor a passkey."""
    browser = await joined(house, idp)
    cookie = browser.http.cookies["__Host-hub-session"]
    by_passkey = await house.people.sessions.begin(await house.user("Omar"))
    entered = Provider(house.organisations["pen-centre"], "pen-centre", THEIRS, "the-hub", "pen-login-2")
    await house.people.identities.set_provider(entered)
    assert await house.people.sessions.person(cookie)
    await house.people.identities.set_provider(replace(entered, issuer="https://login.new.example"))

    assert await house.people.sessions.person(cookie) is None
    assert await house.people.sessions.person(by_passkey)


async def test_without_a_provider_the_page_says_what_it_always_says(house: House, idp: FakeProvider) -> None:
    """Of an organisation that has none, and of one that does not exist."""
    for organisation in ("arts-haven", "nobody"):
        browser = house.browser()
        await browser.open("/sign-in/through")
        answer = await browser.submit("/sign-in/through", organisation=organisation)

        assert answer.status_code == 400
        assert "nothing was changed" in answer.text
    assert idp.fetched == []
