"""What is never said of people: nothing secret or personal in any log, and nothing but a refusal for any garbage."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.people.refusals import RefusedError
from tests.auth.kit import ISSUER, b64
from tests.auth.people.authenticator import Device
from tests.auth.people.kit import House


async def test_no_invitation_cookie_passkey_or_name_is_logged_even_at_debug(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Every logger is turned up; in success and in failure."""
    caplog.set_level(logging.DEBUG)
    invited = await house.invite("Quetzalcoatl")
    browser = house.browser()
    await browser.join(invited.link(ISSUER), "obsidian mirror")
    cookie, form = browser.cookie() or "", browser.form("/sign-out").fields["form"]
    await house.browser().offer(invited.token)
    browser.device.rp_id = "attacker.example"
    await house.browser(browser.device).sign_in()
    await browser.send(browser.form("/sign-out"), form="")
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records).lower()

    assert caplog.records
    for secret in (invited.token, cookie, form, "Quetzalcoatl", "obsidian", b64(browser.device.credentials[0].id)):
        assert secret
        assert secret.lower() not in logged


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
BYTES = st.binary(max_size=80).map(b64)
PART = JSON | BYTES
CREDENTIAL = st.fixed_dictionaries(
    {"id": PART, "rawId": PART, "type": st.just("public-key") | JSON},
    optional={
        "response": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle", "transports"),
                PART,
            ),
        )
    },
)


@given(credential=CREDENTIAL | JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
async def test_garbage_in_place_of_a_passkey_is_refused_and_no_fault(house: House, credential: object) -> None:
    """Whatever it is made of: the one error there is."""
    written = json.dumps(credential)
    with pytest.raises(RefusedError):
        await house.people.passkeys.user(written, "holder")
    with pytest.raises(RefusedError):
        house.people.passkeys.made(written, "holder", "00000000-0000-4000-8000-000000000000")


@given(noise=st.binary(max_size=200), place=st.sampled_from(["attestationObject", "clientDataJSON"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
async def test_a_passkey_with_a_broken_part_is_refused_and_no_fault(house: House, noise: bytes, place: str) -> None:
    """Though its challenge be right."""
    user = "00000000-0000-4000-8000-000000000000"
    options = json.loads(house.people.passkeys.to_make("holder", user, "Sara"))
    made = json.loads(Device().create(options))
    made["response"][place] = b64(noise)
    with pytest.raises(RefusedError):
        house.people.passkeys.made(json.dumps(made), "holder", user)
