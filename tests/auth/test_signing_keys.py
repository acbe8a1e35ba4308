"""Signing keys: shared by all processes, ready for rotation, safe in the database."""

import json
from typing import Any

import asyncpg
import pytest

from auth.keyring import KeyringError
from auth.resource import Resource
from auth.signing_keys import AHEAD, SigningKeys
from tests.auth.kit import ISSUER, World, build, ec_key, unb64


def kid_of(token: str) -> str:
    """Return the kid in a token's header."""
    return str(json.loads(unb64(token.split(".", maxsplit=1)[0]))["kid"])


async def test_processes_that_start_together_share_one_key(world: World) -> None:
    """The first to come makes the key, the others find it."""
    others = [SigningKeys(world.pool, world.keyring, world.clock) for _ in range(3)]

    kids = {(await keys.signing()).kid for keys in (world.keys, *others)}

    assert len(kids) == 1


async def test_a_new_key_is_published_before_it_signs_and_the_old_one_verifies_until_it_retires(world: World) -> None:
    """Rotation loses no token: both keys are in the JWKS, and which one signs changes once everyone can know it."""
    key = ec_key()
    old = await world.token(key)
    world.clock.now += 1
    await world.keys.add()
    still_old = await world.token(key)
    world.clock.now += AHEAD
    new = await world.token(key)
    published = {entry["kid"] for entry in (await world.http.get(f"{ISSUER}/oauth/jwks")).json()["keys"]}

    assert kid_of(old) == kid_of(still_old) != kid_of(new)
    assert published == {kid_of(old), kid_of(new)}
    assert (await world.ask_with(old, world.proof(key, token=old))).status_code == 200
    assert (await world.ask_with(new, world.proof(key, token=new))).status_code == 200

    await world.keys.retire(kid_of(old), at=world.clock())
    assert (await world.ask_with(old, world.proof(key, token=old))).status_code == 401
    assert (await world.ask_with(new, world.proof(key, token=new))).status_code == 200


async def test_a_rotation_under_load_loses_no_request(world: World) -> None:
    """Two processes that ask and answer all the while, through the new key's publication, its first token and the old one's end."""
    other = build(world.pool, world.keyring, world.organisation, clock=world.clock)
    other.key = world.key
    key, kids = ec_key(), set()
    tokens: list[tuple[str, float]] = []
    async with other.http:
        for minute in range(20):
            if minute == 2:
                await world.keys.rotate()
            for one, elsewhere in ((world, other), (other, world)):
                token = await one.token(key)
                kids.add(kid_of(token))
                tokens.append((token, world.clock.now))
                for old, at in tokens:
                    if at > world.clock.now - 600:
                        answer = await elsewhere.ask_with(old, world.proof(key, token=old))
                        assert answer.status_code == 200, (minute, answer.text)
            world.clock.now += 60

    assert len(kids) == 2
    assert [entry["kid"] for entry in await world.keys.public()] == [kid_of(tokens[-1][0])]


async def test_one_rotation_at_a_time(world: World) -> None:
    """While the old key has not retired there is no third, unless the keys are believed to be lost."""
    await world.keys.signing()
    world.clock.now += 1
    first = await world.keys.rotate()
    assert first is not None
    assert await world.keys.rotate() is None
    assert len(await world.keys.public()) == 2
    assert await world.keys.rotate(at_once=True) is not None
    world.clock.now += 1200
    assert await world.keys.rotate() is not None


async def test_a_key_that_somebody_may_have_is_believed_no_more(world: World) -> None:
    """At once here, within half a minute in every process; and the new one signs without waiting."""
    key = ec_key()
    other = SigningKeys(world.pool, world.keyring, world.clock)
    token = await world.token(key)
    assert await other.verifying(kid_of(token))
    kid = await world.keys.rotate(at_once=True)

    assert (await world.ask_with(token, world.proof(key, token=token))).status_code == 401
    assert kid_of(await world.token(key)) == kid
    world.clock.now += 30
    assert await other.verifying(kid_of(token)) is None


async def test_another_process_accepts_a_new_key_within_a_second(world: World) -> None:
    """A kid not seen before is looked for at once, but not more often than once a second."""
    other = SigningKeys(world.pool, world.keyring, world.clock)
    await other.verifying("unknown")
    first = await world.keys.signing()
    world.clock.now += 1

    assert await other.verifying(str(first.kid)) is not None


async def test_another_process_drops_a_retired_key_within_half_a_minute(world: World) -> None:
    """What one process retires, all stop believing."""
    key = ec_key()
    token = await world.token(key)
    other = Resource(ISSUER, SigningKeys(world.pool, world.keyring, world.clock), clock=world.clock)

    async def asks() -> Any:
        headers = [(b"authorization", f"DPoP {token}".encode()), (b"dpop", world.proof(key, token=token).encode())]
        return await other.principal(headers, "POST", "/graphql")

    await asks()
    await world.keys.retire(kid_of(token), at=world.clock())
    world.clock.now += 30

    with pytest.raises(Exception, match="not valid here"):
        await asks()


async def test_the_private_part_is_wrapped_in_the_database(world: World) -> None:
    """Who reads the table, or a backup of it, cannot sign."""
    key = await world.keys.signing()
    row = await world.pool.fetchrow("select public::text, private from auth.signing_key")
    secret = unb64(str(key.as_dict(private=True)["d"]))

    assert row
    assert secret not in bytes(row["private"])
    assert "d" not in json.loads(row["public"])


async def test_a_key_written_by_someone_without_the_keyring_is_not_believed(world: World) -> None:
    """Writing to the table is not enough to make tokens."""
    await world.pool.execute(
        "insert into auth.signing_key (kid, alg, public, private, kek_id, created_at)"
        " values ('mine', 'ES256', '{}', $1, '1', now())",
        b"x" * 40,
    )
    with pytest.raises(KeyringError, match="does not open"):
        await world.keys.signing()


async def test_a_wrapped_key_moved_to_another_row_is_not_believed(world: World) -> None:
    """The kid is the key's own thumbprint."""
    await world.keys.signing()
    await world.pool.execute(
        "insert into auth.signing_key (kid, alg, public, private, kek_id, created_at)"
        " select 'moved', alg, public, private, kek_id, created_at from auth.signing_key"
    )
    with pytest.raises(KeyringError, match="not the one"):
        await SigningKeys(world.pool, world.keyring, world.clock).signing()


async def test_the_request_role_cannot_touch_the_schema(world: World, database: Any) -> None:
    """Neither keys nor what was used once can be read by the role of GraphQL requests."""
    await world.token(ec_key())
    connection = await asyncpg.connect(database.dsn("hub_app"))
    try:
        for table in ("client_key", "assertion_jti", "token_proof", "signing_key"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"table auth.{table}")
    finally:
        await connection.close()


async def test_every_table_of_the_schema_forces_row_security(database: Any) -> None:
    """The owner itself sees nothing."""
    rows = await database.admin(
        "select relname, relrowsecurity and relforcerowsecurity as forced from pg_class"
        " where relnamespace = 'auth'::regnamespace and relkind = $1",
        b"r",
    )
    forced = {row["relname"]: row["forced"] for row in rows}
    assert forced.keys() >= {"assertion_jti", "client_key", "signing_key", "token_proof", "approval", "pushed_request"}
    assert all(forced.values())


async def test_what_was_used_once_is_forgotten_when_it_would_be_refused_anyway(world: World) -> None:
    """The tables stay small, and nothing is forgotten early."""
    await world.token(ec_key())
    world.clock.now += 120
    await world.token(ec_key())
    assert await world.pool.fetchval("select count(*) from auth.assertion_jti") == 2
    world.clock.now += 120
    await world.token(ec_key())

    assert await world.pool.fetchval("select count(*) from auth.assertion_jti") == 2
    assert await world.pool.fetchval("select count(*) from auth.token_proof") == 2
