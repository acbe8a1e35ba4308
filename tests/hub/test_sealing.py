"""What is sealed opens in its own place and nowhere else, under its own key and no other."""

import json
import uuid

import pytest

from auth.keyring import Keyring
from hub.sealing import SealBrokenError, Sealing
from tests.world import KEYRING, PERSON, World

NAMES = "{ cases(orderBy: [{field: OPENED_ON, direction: ASC}]) { edges { node { identity { familyName } profile { biography } } } } }"


@pytest.mark.parametrize(
    ("subject", "category", "version"),
    [("case:b", "IDENTITY", 1), ("referral:a", "IDENTITY", 1), ("case:a", "HEALTH", 1), ("case:a", "IDENTITY", 2)],
)
def test_a_document_opens_in_its_own_place_only(subject: str, category: str, version: int) -> None:
    """Whose it is, of which category and which version are bound to the ciphertext."""
    sealing = Sealing(KEYRING)
    key = sealing.new_key()
    sealed = sealing.seal(key.plain, "case:a", "IDENTITY", 1, b"{}")

    assert sealing.open(key.plain, "case:a", "IDENTITY", 1, sealed) == b"{}"
    with pytest.raises(SealBrokenError):
        sealing.open(key.plain, subject, category, version, sealed)


@pytest.mark.parametrize("place", [0, 5, 12, 20, -1])
def test_a_changed_byte_is_refused(place: int) -> None:
    """Nonce, ciphertext and tag: whichever byte was changed, nothing opens."""
    sealing = Sealing(KEYRING)
    key = sealing.new_key()
    sealed = bytearray(sealing.seal(key.plain, "case:a", "IDENTITY", 1, b'{"familyName":"F"}'))
    sealed[place] ^= 1

    with pytest.raises(SealBrokenError):
        sealing.open(key.plain, "case:a", "IDENTITY", 1, bytes(sealed))


def test_the_same_document_is_never_sealed_the_same_way_twice() -> None:
    """Equal documents cannot be told to be equal."""
    sealing = Sealing(KEYRING)
    key = sealing.new_key()

    assert sealing.seal(key.plain, "case:a", "IDENTITY", 1, b"{}") != sealing.seal(
        key.plain, "case:a", "IDENTITY", 1, b"{}"
    )


def test_a_new_key_encryption_key_leaves_old_documents_readable() -> None:
    """Rotation adds an epoch; what was wrapped before opens still, and new keys are wrapped by the new one."""
    old = Sealing(KEYRING)
    before = old.new_key()
    rotated = Keyring(keks={**KEYRING.keks, "2": b"E" * 32}, current="2", roots=KEYRING.roots)
    sealing = Sealing(rotated)

    assert sealing.key(before.kek, before.wrapped) == before.plain
    assert sealing.new_key().kek == "2"
    with pytest.raises(SealBrokenError):
        old.key("2", sealing.new_key().wrapped)


@pytest.fixture
async def two(world: World) -> tuple[uuid.UUID, uuid.UUID]:
    """Two cases of different people."""
    one = await world.case(opened_on="2026-01-01")
    other = await world.case(
        opened_on="2026-01-02",
        documents={**PERSON, "IDENTITY": {"familyName": "Secondname"}, "PROFILE": {"biography": "Secondlife"}},
    )
    return one, other


@pytest.mark.parametrize(
    "move",
    [
        "update case_identity set sealed = (select sealed from case_identity where case_id = $2) where case_id = $1",
        "update case_identity set sealed = (select sealed from case_profile where case_id = $1) where case_id = $1 and $2::uuid is not null",
        "update case_identity set key_version = 2 where case_id = $1 and $2::uuid is not null",
        "update case_key set (kek, wrapped) = (select kek, wrapped from case_key where case_id = $2) where case_id = $1",
        "update case_key set kek = 'gone' where case_id = $1 and $2::uuid is not null",
    ],
)
async def test_what_was_moved_in_the_database_is_refused_whole(
    world: World, two: tuple[uuid.UUID, uuid.UUID], move: str
) -> None:
    """Whoever can write to the tables cannot show one person's words as another's: the answer fails, and tells nothing."""
    await world.admin.execute(move, *two)

    answer = await world.ask("desk", NAMES)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL_SERVER_ERROR"]
    assert "data" not in answer
    assert "Secondname" not in json.dumps(answer)


async def test_only_what_is_selected_is_opened(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    """A broken document that nobody asks for breaks no answer."""
    await world.admin.execute("update case_identity set sealed = sealed || '\\x00' where case_id = $1", two[0])

    answer = await world.data("desk", "{ cases { edges { node { profile { biography } } } } }")

    assert len(answer["cases"]["edges"]) == 2
