"""This module puts together what the pages for people work with; an application keeps it at `app.state.people`."""

import hmac
from ipaddress import ip_address
from time import time
from urllib.parse import urlsplit

from auth.clock import Clock
from auth.database import Database
from auth.keyring import Keyring
from auth.metadata import checked_issuer
from auth.people.box import Box
from auth.people.challenges import Challenges
from auth.people.identities import SUBJECTS, Identities
from auth.people.invitations import Invitations
from auth.people.joining import Joining
from auth.people.passkeys import Passkeys
from auth.people.provider import OpenId
from auth.people.recovery import Recoveries
from auth.people.seal import UserSeal
from auth.people.sessions import Sessions
from auth.strangers import Strangers

STEP_UP = 300
"""Seconds for which somebody who showed a passkey may change what passkeys there are, or help others to new ones."""


class People:
    """Who the users are and how they sign in, over one database (as hub_auth) and under one issuer.

    `openid` speaks to organisations' own providers; without it, passkeys are the one way in.
    """

    def __init__(
        self,
        issuer: str,
        database: Database,
        keyring: Keyring,
        *,
        clock: Clock = time,
        strangers: Strangers | None = None,
        openid: OpenId | None = None,
    ) -> None:
        seal = self.seal = UserSeal(keyring)
        self.issuer = checked_issuer(issuer)
        self.clock = clock
        self.strangers = strangers or Strangers(clock)
        self.sessions = Sessions(database, seal, clock)
        self.passkeys = Passkeys(issuer, database, seal, Challenges(keyring.subkey("nonce/challenge"), clock), clock)
        self.invitations = Invitations(database, seal, clock)
        self.joining = Joining(database, seal, self.passkeys, clock)
        self.recoveries = Recoveries(database, seal, clock)
        self.identities = Identities(database, keyring.subkey(SUBJECTS), clock)
        self.openid = openid
        self.through_box = Box(keyring.subkey("nonce/through provider"))
        self._form_key = keyring.subkey("nonce/form")

    @property
    def has_name(self) -> bool:
        """Tell whether the hub's address has a name: a browser makes no passkey for a number."""
        try:
            ip_address((urlsplit(self.issuer).hostname or "").strip("[]"))
        except ValueError:
            return True
        return False

    def form_token(self, holder: str) -> str:
        """Return what a form carries for the browser that holds this cookie."""
        return hmac.digest(self._form_key, holder.encode(), "sha256").hex()
