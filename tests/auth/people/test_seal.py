"""What is said of users opens in its own place alone, and in the same shape as everything that the hub seals."""

import pytest

from auth.keyring import Keyring, KeyringError
from auth.people.seal import CARD, LABEL, UserSeal
from hub.sealing import Sealing


@pytest.mark.parametrize(("user", "part"), [("2", CARD), ("1", LABEL)])
def test_what_is_sealed_for_one_user_and_part_opens_nowhere_else(keyring: Keyring, user: str, part: str) -> None:
    """Not for another user, nor as another part, though the key be the same; nor when a bit has changed."""
    seal = UserSeal(keyring)
    key = seal.new_key()
    sealed = seal.seal(key.plain, "1", CARD, b"Sara")

    assert seal.open(key.plain, "1", CARD, sealed) == b"Sara"
    with pytest.raises(KeyringError):
        seal.open(key.plain, user, part, sealed)
    with pytest.raises(KeyringError):
        seal.open(key.plain, "1", CARD, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_the_hub_opens_what_the_authorization_server_sealed(keyring: Keyring) -> None:
    """So that a list of users can be answered like any other sealed document."""
    seal, sealing = UserSeal(keyring), Sealing(keyring)
    key = seal.new_key()
    sealed = seal.seal(key.plain, "1", CARD, b"Sara")

    assert sealing.open(sealing.key(key.kek, key.wrapped), "user:1", CARD, 1, sealed) == b"Sara"


def test_one_address_has_one_digest_in_an_organisation_and_another_in_the_next(keyring: Keyring) -> None:
    """However it is written; and none that can be tried out without the key."""
    seal = UserSeal(keyring)

    assert seal.digest(1, "Sara@Pen.example") == seal.digest(1, " sara@pen.example ")
    assert seal.digest(1, "sara@pen.example") != seal.digest(2, "sara@pen.example")
    assert seal.digest(1, "sara@pen.example") != seal.digest(1, "sarah@pen.example")
