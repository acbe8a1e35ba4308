"""This module makes the load: keep-alive connections that each ask, wait for the answer, and ask again."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Round:
    """What one round showed: seconds each request took, and how long the round was."""

    latencies: Sequence[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Give requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Give the latency that `share` of the requests did not exceed, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(port: int, headers: dict[str, str], body: bytes) -> bytes:
    """Write one HTTP/1.1 request."""
    lines = [
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    ]
    return (
        "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]) + "\r\n\r\n"
    ).encode() + body


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> bytes:
    """Send a request and give the body of its answer; an answer other than 200 ends the measurement."""
    writer.write(message)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"The server answered {head.split(maxsplit=2)[1].decode()}.")
    return body


async def once(port: int, message: bytes) -> bytes:
    """Ask one thing on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    try:
        return await ask(reader, writer, message)
    finally:
        writer.close()
        await writer.wait_closed()


async def run(port: int, messages: Iterator[bytes], connections: int, seconds: float) -> Round:
    """Ask on several connections for a time, or until the messages run out; each message is sent once."""
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        for message in messages:
            begun = time.perf_counter()
            if begun > until:
                break
            await ask(reader, writer, message)
            latencies.append(time.perf_counter() - begun)
        writer.close()
        await writer.wait_closed()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return Round(latencies, time.perf_counter() - begun)
