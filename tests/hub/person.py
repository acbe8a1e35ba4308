"""A person who asks the hub through an app: a user whom the gate knows, and a token that says so."""

from typing import Any

from auth.access_token import AccessToken, Confirmation, issue, new_token_id
from auth.client import HubClient, Token
from auth.people.invitations import Invitations
from auth.people.seal import UserSeal
from auth.signing_keys import SigningKeys
from tests.world import ISSUER, KEYRING, World


async def person(
    world: World, name: str, client: str, organisation: str, scopes: list[str], *, signed_in: float | None = None, token_id: str = "",
    role: str = "STAFF",
) -> HubClient:  # fmt: skip
    """Make somebody an active user, and give the client `client` as they use it, with a token of theirs; they signed in just now."""
    auth, asker = world.app.state.pools.auth, world.clients[client]
    invitations = Invitations(auth, UserSeal(KEYRING), lambda: world.now)
    role = f"{'ICORN' if organisation == 'icorn' else 'PARTNER'}_{role}"
    number = world.organisations[organisation]
    wanted: dict[str, Any] = {"email": f"{name}@{organisation}.example", "name": name, "roles": [role]}
    invited = await invitations.invite(organisation=number, scopes=scopes, **wanted)
    await auth.execute("update hub.usr set status = 'ACTIVE' where id = $1", invited.user)
    used = HubClient(asker.credentials, asker._send, clock=lambda: world.now)  # noqa: SLF001 the same client, another key
    claims = AccessToken(
        iss=ISSUER, aud=f"{ISSUER}/graphql", sub=invited.user, client_id=client, iat=int(world.now), exp=int(world.now) + 600,
        jti=token_id or new_token_id("a" * 22), scope=" ".join(sorted(scopes)), cnf=Confirmation(used._proof_key.thumbprint()),  # noqa: SLF001 as above
        organisation=number, auth_time=int(world.now if signed_in is None else signed_in), purpose="PROTECTION",
    )  # fmt: skip
    value = issue(claims, await SigningKeys(auth, KEYRING, lambda: world.now).signing())
    used._token = Token(value, frozenset(scopes), claims.exp)  # noqa: SLF001 as above
    return used
