"""This module measures `python -m bench tokens`: tokens a second, and what verifying token and proof adds to a query, beside joserfc alone."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, permutations
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey
from rich.console import Console
from rich.table import Table

from auth.client import assertion, proof, signing_key
from auth.clients import register_client
from auth.keyring import Keyring
from bench.parts import ISSUER, Inside
from bench.servers import application
from bench.world import DATABASE, Partner
from hub.embedded import ADMIN, Server, dsns, embedded_server
from hub.migrate import ensure_roles, migrate
from hub.postgres import connect

CLIENTS: Final = 8
"""Several, for each may have 10,000 tokens a minute at most."""
ROUNDS: Final = 7
EACH: Final = 200
AT_ONCE: Final = 8
QUERY: Final = b'{"query":"{ viewer { clientId } }"}'
GRAPHQL: Final = f"{ISSUER}/graphql"
TOKEN: Final = f"{ISSUER}/oauth/token"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Ask:
    """A token request, signed before anything is timed, and a token's use after it."""

    inside: Inside
    body: bytes
    assertion: str
    proof: str

    async def send(self) -> bytes:
        """Get the token."""
        answer = await self.inside.post(TOKEN, {**FORM, "DPoP": self.proof}, self.body)
        if answer.status != 200:
            raise RuntimeError("The hub refused a token.")
        return answer.body


async def tokens(console: Console) -> None:
    """Set up a hub with a few clients and nothing else, and measure."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        keyring = Keyring.create(Path(name) / "keys.json")
        with embedded_server(Path(name) / "postgres", {"shared_buffers": "256MB"}) as server:
            partners = await fill(server)
            app, pools = await application(dsns(server, DATABASE), keyring, ISSUER)
            # A second one, whose commits do not wait for the disk: what is left is the program and Postgres.
            admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
            await admin.execute("alter role hub_auth set synchronous_commit = off")
            await admin.close()
            hasty, more_pools = await application(dsns(server, DATABASE), keyring, ISSUER)
            waiting, not_waiting = ([Inside(one, partner) for partner in partners] for one in (app, hasty))
            await issued(waiting, not_waiting, console)
            await verified(waiting[0], console)
            for pool in (pools.app, pools.auth, pools.worker, more_pools.app, more_pools.auth, more_pools.worker):
                await pool.close()


async def fill(server: Server) -> list[Partner]:
    """Migrate, and register clients with keys of the kind that `hub keygen` makes."""
    admin = await connect(server.dsn(ADMIN, "postgres"), name="bench", role=ADMIN)
    await admin.execute(f"create database {DATABASE}")
    await admin.close()
    await ensure_roles(server.dsn(ADMIN, DATABASE))
    await migrate(server.dsn("hub_migrate", DATABASE))
    admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
    try:
        insert = "insert into organisation (code, name, kind) values ('org', 'Organisation', 'SISTER') returning id"
        organisation = await admin.fetchval(insert)
        partners = []
        for number in range(CLIENTS):
            key = OKPKey.generate_key("Ed25519", {"kid": "1"})
            await register_client(
                admin, organisation=organisation, client_id=f"bench-{number}", name="Bench", scopes=["cases:read"],
                jwks={"keys": [key.as_dict(private=False)]}, purpose="PROTECTION", limits={"tokens_per_minute": 10_000},
            )  # fmt: skip
            partners.append(Partner(organisation, f"bench-{number}", dict(key.as_dict(private=True))))
        return partners
    finally:
        await admin.close()


def signed(insides: Sequence[Inside], count: int) -> list[Ask]:
    """Sign token requests, of each client in turn."""
    made = []
    for number in range(count):
        inside = insides[number % len(insides)]
        credentials, now = inside.client.credentials, time.time()
        signed_assertion = assertion(credentials, signing_key(credentials.private_jwk), now)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": signed_assertion,
        }
        made.append(Ask(inside, urlencode(form).encode(), signed_assertion, proof(inside.key, TOKEN, now)))
    return made


async def issued(waiting: list[Inside], not_waiting: list[Inside], console: Console) -> None:
    """Measure tokens a second: one request at a time, several at once, and only the signatures that each needs."""
    server_key = ECKey.generate_key("P-256")
    public = {
        inside.client.credentials.client_id: signing_key(inside.client.credentials.private_jwk) for inside in waiting
    }
    rates: dict[str, list[tuple[float, float]]] = {
        "one at a time": [],
        f"{AT_ONCE} at once": [],
        "one at a time, not waiting for the disk": [],
        f"{AT_ONCE} at once, not waiting for the disk": [],
        "its three signatures alone": [],
    }
    payload = b"x" * 400

    async def bare(ask: Ask) -> None:
        verify(ask.assertion, public[ask.inside.client.credentials.client_id], "Ed25519")
        verify(ask.proof, ask.inside.key, "ES256")
        jws.serialize_compact({"alg": "ES256", "typ": "at+jwt"}, payload, server_key, algorithms=["ES256"])

    for number in range(ROUNDS + 1):
        found = (
            await rate(signed(waiting, EACH), Ask.send, 1),
            await rate(signed(waiting, EACH), Ask.send, AT_ONCE),
            await rate(signed(not_waiting, EACH), Ask.send, 1),
            await rate(signed(not_waiting, EACH), Ask.send, AT_ONCE),
            await rate(signed(waiting, EACH), bare, 1),
        )
        if number:  # the first round warms
            for kept, value in zip(rates.values(), found, strict=True):
                kept.append(value)
    table = Table(title=f"token requests, whole application, {ROUNDS} rounds of {EACH} in turn")
    for heading in ("", "a second", "min to max", "CPU ms each, without Postgres"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, values in rates.items():
        each, used = [value for value, _ in values], [value for _, value in values]
        median, spread = statistics.median(each), f"{min(each):.0f} to {max(each):.0f}"
        table.add_row(name, f"{median:.0f}", spread, f"{statistics.median(used):.2f}")
    console.print(table)


async def rate(asks: list[Ask], work: Callable[[Ask], Awaitable[object]], at_once: int) -> tuple[float, float]:
    """Do all of them, so many at once; how many a second, and the CPU milliseconds of this process for each."""
    left = iter(asks)

    async def some() -> None:
        for ask in left:
            await work(ask)

    begun, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return len(asks) / (time.perf_counter() - begun), (time.process_time() - used) / len(asks) * 1e3


async def verified(inside: Inside, console: Console) -> None:
    """Measure, request by request in turn, what the hub's verification takes and what joserfc alone takes for the same signatures."""
    resource = inside.app.state.resource
    inside.token = (await inside.client.token()).value
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(inside.app)) as http:
        published = (await http.get(f"{ISSUER}/oauth/jwks")).json()["keys"]
    keys = {key["kid"]: ECKey.import_key(key) for key in published}
    parts: dict[str, list[float]] = {
        "hub: token seen before, new proof": [],
        "hub: token never seen, new proof": [],
        "joserfc: proof alone": [],
        "joserfc: token and proof": [],
        "the whole query, { viewer { clientId } }": [],
    }
    orders = cycle(permutations(range(len(parts))))
    fresh = [(await inside.client.token()).value for _ in range(ROUNDS * EACH // 2)]
    for number, token in enumerate(fresh):
        key = keys[str(jws.extract_compact(token.encode()).headers()["kid"])]
        known_headers, new_headers = raw(inside, inside.token), raw(inside, token)
        proof_text = dict(new_headers)[b"dpop"].decode()
        found = {
            0: resource.principal(known_headers, "POST", "/graphql"),
            1: resource.principal(new_headers, "POST", "/graphql"),
            2: bare(proof_text, inside.key),
            3: bare(proof_text, inside.key, token, key),
            4: inside.post(GRAPHQL, inside.headers(), QUERY),
        }
        # In every order there is: what comes after a whole query finds the processor's caches cold.
        times = {place: await micros(found[place]) for place in next(orders)}
        if number >= EACH // 4:
            for place, kept in enumerate(parts.values()):
                kept.append(times[place])
    table = Table(title="microseconds of a query, one at a time, the parts in turn")
    for heading in ("", "median", "p10 to p90"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, values in parts.items():
        tenths = statistics.quantiles(values, n=10)
        table.add_row(name, f"{statistics.median(values):.0f}", f"{tenths[0]:.0f} to {tenths[-1]:.0f}")
    console.print(table)
    known, new, one, both, _ = (statistics.median(values) for values in parts.values())
    console.print(f"hub over joserfc: {known / one:.2f} for a token seen before, {new / both:.2f} for one never seen")


async def bare(proof_text: str, proof_key: Key, token: str = "", token_key: Key | None = None) -> None:
    """Verify as little as can be: the signatures, with keys already at hand."""
    verify(proof_text, proof_key, "ES256")
    if token_key is not None:
        verify(token, token_key, "ES256")


def verify(text: str, key: Key, algorithm: str) -> None:
    """Verify one signature by joserfc alone."""
    jws.deserialize_compact(text, key, algorithms=[algorithm])


async def micros(work: Awaitable[object]) -> float:
    """Give the microseconds that something takes."""
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * 1e6


def raw(inside: Inside, token: str) -> list[tuple[bytes, bytes]]:
    """Sign a fresh proof for a token, in headers as ASGI gives them."""
    made = proof(inside.key, GRAPHQL, time.time(), access_token=token)
    return [(b"authorization", f"DPoP {token}".encode()), (b"dpop", made.encode())]
