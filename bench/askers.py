"""This module signs and writes the requests of a round before it begins, so that the load takes nothing of what is measured."""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from joserfc.jwk import ECKey

from auth.client import Answer, Credentials, HubClient, proof
from bench.load import request
from bench.operations import Question
from bench.world import Partner

Variables = Callable[[int, int], dict[str, Any]]
"""Of the number of a partner, and of the request."""


class Asker:
    """One partner: its token, and a fresh proof for every request, as real clients send them."""

    def __init__(self, partner: Partner, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.port, self.organisation = port, partner.organisation
        self.key = ECKey.generate_key("P-256")
        credentials = Credentials(
            partner.client_id, partner.private_jwk, self.issuer, f"{self.issuer}/oauth/token", f"{self.issuer}/graphql"
        )
        self.client = HubClient(credentials, self.post, proof_key=self.key)
        self.token, self.until = "", 0.0

    async def sign_in(self) -> None:
        """Get a token that lasts for a round."""
        if self.until < time.time() + 120:
            token = await self.client.token()
            self.token, self.until = token.value, token.expires_at

    async def post(self, url: str, headers: object, body: bytes) -> Answer:
        """Send a token request."""
        lines = "".join(f"{k}: {v}\r\n" for k, v in dict(headers).items())  # type: ignore[call-overload]
        path = url.removeprefix(self.issuer)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head.encode() + body)
        told = await reader.read()
        writer.close()
        status, _, rest = told.partition(b"\r\n\r\n")
        return Answer(int(status.split()[1]), {}, rest)

    def message(self, body: bytes) -> bytes:
        """Write one request, its proof signed now."""
        signed = proof(self.key, f"{self.issuer}/graphql", time.time(), access_token=self.token)
        return request(self.port, {"Authorization": f"DPoP {self.token}", "DPoP": signed}, body)


class Partners:
    """Twenty of them, who ask in turn, each about its own cases."""

    def __init__(self, partners: Sequence[Partner], cases: Sequence[Sequence[str]], hub_port: int) -> None:
        self.partners, self.cases = partners, cases
        self.askers = [Asker(partner, hub_port) for partner in partners]

    async def sign_in(self) -> None:
        """Get every partner a token that lasts for a round."""
        for asker in self.askers:
            await asker.sign_in()

    def variables(self, question: str, who: int, number: int) -> dict[str, Any]:
        """Give the variables of a request, in the hub's words and in PostGraphile's."""
        case = self.cases[who][number % len(self.cases[who])]
        org = self.partners[who].organisation
        return {
            "Q2": {"id": f"case_{case}", "org": org, "uuid": case},
            "Q3": {"key": secrets.token_hex(8), "org": org},
        }.get(question, {})

    def to_hub(self, name: str, asked: Question, count: int) -> Iterator[bytes]:
        """Sign a round's requests to the hub."""
        made = []
        for number in range(count):
            who = number % len(self.askers)
            known = {k: v for k, v in self.variables(name, who, number).items() if f"${k}" in asked.hub}
            made.append(self.askers[who].message(json.dumps({"query": asked.hub, "variables": known}).encode()))
        return iter(made)

    def to_peer(self, name: str, text: str, port: int, count: int) -> Iterator[bytes]:
        """Write a round's requests to whoever believes a header."""
        made = []
        for number in range(min(count, 40 * len(self.partners)) if name != "Q3" else count):
            who = number % len(self.partners)
            known = {k: v for k, v in self.variables(name, who, number).items() if f"${k}" in text}
            body = json.dumps({"query": text, "variables": known}).encode()
            made.append(request(port, {"x-organisation": str(self.partners[who].organisation)}, body))
        return iter(made) if name == "Q3" else itertools.islice(itertools.cycle(made), count)
