"""This module puts together what the pages for people work with; an application keeps it at `app.state.people`."""

import hmac
from time import time

from auth.clock import Clock
from auth.database import Database
from auth.keyring import Keyring
from auth.metadata import checked_issuer
from auth.people.invitations import Invitations
from auth.people.seal import UserSeal
from auth.people.sessions import Sessions


class People:
    """Who the users are and how they sign in, over one database (as hub_auth) and under one issuer."""

    def __init__(self, issuer: str, database: Database, keyring: Keyring, *, clock: Clock = time) -> None:
        seal = UserSeal(keyring)
        self.issuer = checked_issuer(issuer)
        self.clock = clock
        self.sessions = Sessions(database, seal, clock)
        self.invitations = Invitations(database, seal, clock)
        self._form_key = keyring.subkey("nonce/form")

    def form_token(self, holder: str) -> str:
        """Return what a form carries for the browser that holds this cookie."""
        return hmac.digest(self._form_key, holder.encode(), "sha256").hex()
