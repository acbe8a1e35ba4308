"""What is sealed opens in its own place and nowhere else, under its own key and no other."""

import json
import uuid
from dataclasses import replace

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


async def move(world: World, table: str, column: str, one: str, other: str) -> None:
    """Put what is sealed in one row into another, as somebody with the database's own rights could."""
    await world.admin.execute(f"update {table} set {column} = (select {column} from {table} where {one}) where {other}")  # noqa: S608 our own names


@pytest.mark.parametrize(
    ("table", "column", "one", "other"),
    [
        ("referral_person", "sealed", "referral_id = '{a}' and category = 'IDENTITY'", "referral_id = '{b}' and category = 'IDENTITY'"),
        ("referral_person", "sealed", "referral_id = '{a}' and category = 'HEALTH'", "referral_id = '{a}' and category = 'IDENTITY'"),
        ("referral", "reason", "id = '{a}'", "id = '{b}'"),
        ("referral_key", "wrapped", "referral_id = '{a}'", "referral_id = '{b}'"),
    ],
)  # fmt: skip
async def test_what_was_said_in_one_referral_is_not_shown_in_another(
    world: World, table: str, column: str, one: str, other: str
) -> None:
    """Documents, texts and keys of a referral are bound to it as those of a case are."""
    a, b = [await world.referral("pen-centre") for _ in range(2)]
    asked = "{ referrals { edges { node { reason person { identity { familyName } health { needs } } } } } }"
    assert len((await world.data("desk", asked))["referrals"]["edges"]) == 2
    await move(world, table, column, one.format(a=a, b=b), other.format(a=a, b=b))

    answer = await world.send("desk", asked)

    assert answer.status == 500
    assert b"INTERNAL_SERVER_ERROR" in answer.body
    for word in (b'"data"', b"Farahani", b"A reason"):
        assert word not in answer.body


async def test_how_a_decision_is_known_is_not_shown_for_another(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    """The evidence of a consent opens under its own case alone, and not as the reason of anything."""
    for case, text in zip(two, (b"Signed at the desk", b"By telephone"), strict=True):
        row = await world.admin.fetchrow("select kek, wrapped from case_key where case_id = $1", case)
        key = world.sealing.key(row["kek"], row["wrapped"])
        await world.consent(case, evidence=world.sealing.seal(key, f"case:{case}", "EVIDENCE", 1, text))
    asked = "{ cases { edges { node { consents { evidence } } } } }"
    assert len((await world.data("desk", asked))["cases"]["edges"]) == 2
    await move(world, "consent", "evidence", f"case_id = '{two[0]}'", f"case_id = '{two[1]}'")

    answer = await world.send("desk", asked)

    assert (answer.status, b"Signed" in answer.body, b"telephone" in answer.body) == (500, False, False)


async def test_a_hub_with_a_new_key_encryption_key_answers_from_old_and_new(world: World) -> None:
    """Old epochs read, the newest one wraps; a hub whose file has lost an epoch fails over what that epoch wrapped, and only there."""
    await world.case(documents={"IDENTITY": {"familyName": "Oldepoch"}}, origin="IR")
    rotated = Keyring(keks={**KEYRING.keks, "2": b"E" * 32}, current="2", roots=KEYRING.roots)
    world.sealing = Sealing(rotated)
    await world.case(documents={"IDENTITY": {"familyName": "Newepoch"}}, origin="TR")
    asked = "query ($o: [CountryCode!]) { cases(filter: {origin: $o}) { edges { node { identity { familyName } } } } }"

    async def names(keyring: Keyring, origin: str) -> list[str] | int:
        engine = world.app.state.engine
        world.app.state.engine = replace(engine, sealing=Sealing(keyring))
        answer = await world.send("desk", asked, {"o": [origin]})
        edges = json.loads(answer.body).get("data", {}).get("cases", {}).get("edges")
        return [edge["node"]["identity"]["familyName"] for edge in edges] if answer.status == 200 else answer.status

    assert [await names(rotated, origin) for origin in ("IR", "TR")] == [["Oldepoch"], ["Newepoch"]]
    lost = Keyring(keks={"2": b"E" * 32}, current="2", roots=KEYRING.roots)
    assert [await names(lost, origin) for origin in ("IR", "TR")] == [500, ["Newepoch"]]
