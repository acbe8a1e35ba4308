"""The world of the tests of `auth`, over a database of each test's own."""

from tests.auth.conftest import app, keyring, nonce_world, organisation, pool, world

__all__ = ["app", "keyring", "nonce_world", "organisation", "pool", "world"]
