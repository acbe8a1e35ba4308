"""A hub's pages for people, over a real database: ICORN and two sister organisations, and a browser for whoever needs one."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from auth.keyring import Keyring
from tests.auth.people.kit import House, build
from tests.conftest import Database


@pytest.fixture
async def house(database: Database, pool: asyncpg.Pool, keyring: Keyring) -> AsyncIterator[House]:
    """ICORN, the PEN Centre and Arts Haven, nobody in them yet."""
    async with build(database, pool, keyring) as made:
        yield made
