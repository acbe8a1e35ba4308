"""Where the hub lets itself be led: nowhere but to the configured origin, and to nothing inside."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from aiohttp.resolver import ThreadedResolver
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from connectors.addresses import is_public, may_connect
from connectors.fakes import csv_file, rest
from connectors.fakes.faults import Faults
from connectors.fakes.serve import serve
from connectors.http import Endpoint, Upstream
from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Cursor
from connectors.surroundings import Surroundings
from tests.connectors.sources import HOST_KEY, HTTP_KINDS, TOKEN, sftp_connector, source

START = datetime(2026, 3, 1, tzinfo=UTC)


async def code_of(url: str, *allowed: str) -> ProblemCode:
    """Fetch a URL and say what went wrong."""
    async with Upstream(Endpoint(URL(url), private_hosts=frozenset(allowed))) as upstream:
        with pytest.raises(FeedProblem) as caught:
            await upstream.get_json(URL(url))
    return caught.value.code


@pytest.mark.parametrize("kind", HTTP_KINDS)
async def test_a_redirect_to_another_origin_is_not_followed(kind: str) -> None:
    """The other origin sees no request, and so no credential."""
    elsewhere = Faults()
    async with serve(rest.app([], TOKEN, elsewhere)) as host, source(kind) as feed:
        feed.faults.redirect = f"http://{host}/api/applications"

        with pytest.raises(FeedProblem) as caught:
            await feed.pages()

    assert caught.value.code is ProblemCode.FOREIGN_LINK
    assert elsewhere.requests == 0


async def test_a_redirect_within_the_origin_is_followed() -> None:
    """A system may move its feed, within itself."""
    async with source("rest-cursor") as feed:
        feed.put("1", START)
        feed.faults.redirect, feed.faults.times = "/api/applications?limit=2", 1

        assert await feed.idents() == ["1"]


@pytest.mark.parametrize("kind", ["rest-link", "rest-header", "fhir", "odk"])
async def test_a_next_link_to_another_origin_is_not_followed(kind: str) -> None:
    """A link in the body or a header leads out no more than a redirect does."""
    elsewhere = Faults()
    async with serve(rest.app([], TOKEN, elsewhere)) as host, source(kind) as feed:
        for number in range(5):
            feed.put(f"{number + 1}", START + timedelta(hours=number))
        feed.faults.foreign_next = f"http://{host}/api/applications"

        with pytest.raises(FeedProblem) as caught:
            await feed.pages()

    assert caught.value.code is ProblemCode.FOREIGN_LINK
    assert elsewhere.requests == 0


@pytest.mark.parametrize(
    "link",
    [
        "https://other.example/x",
        "//other.example/x",
        "http://sister.example/x",
        "https://sister.example:8443/x",
        "https://sister.example@other.example/",
        "https://user:word@sister.example/x",
        "https://sister.example.other.example/",
        "file:///etc/passwd",
        "http://[bad",
    ],
)
def test_a_link_out_of_the_origin_is_refused(link: str) -> None:
    """Scheme, host and port have to be the configured ones, and nobody is logged in by a link."""
    upstream = Upstream(Endpoint(URL("https://sister.example/api")))

    with pytest.raises(FeedProblem) as caught:
        upstream.join(link)

    assert caught.value.code is ProblemCode.FOREIGN_LINK


@pytest.mark.parametrize("link", ["?page=2", "/api/other", "https://sister.example/x", "https://SISTER.example:443/x"])
def test_a_link_within_the_origin_is_taken(link: str) -> None:
    """However it is written."""
    assert Upstream(Endpoint(URL("https://sister.example/api"))).join(link).host == "sister.example"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "not an address",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, multicast: in every notation that leads there."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    """The others may be connected to."""
    assert is_public(address)


def test_plain_http_is_for_hosts_allowed_by_name() -> None:
    """TLS is not optional for anyone else."""
    assert not may_connect(URL("http://sister.example/"), frozenset())
    assert may_connect(URL("https://sister.example/"), frozenset())
    assert may_connect(URL("http://10.0.0.5:8080/"), frozenset({"10.0.0.5:8080"}))
    assert not may_connect(URL("http://10.0.0.5:8081/"), frozenset({"10.0.0.5:8080"}))


async def test_a_private_literal_address_is_not_connected_to() -> None:
    """It never comes to a connection."""
    assert await code_of("https://127.0.0.1/") is ProblemCode.PRIVATE_ADDRESS
    assert await code_of("https://[::ffff:10.0.0.1]/") is ProblemCode.PRIVATE_ADDRESS


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433"])
async def test_a_name_that_leads_inside_is_not_connected_to(host: str) -> None:
    """What a name resolves to is checked where it is resolved, by the resolver that connects."""
    code = await code_of(f"https://{host}:9/")

    assert code in (ProblemCode.PRIVATE_ADDRESS, ProblemCode.UNREACHABLE)
    assert host != "localhost" or code is ProblemCode.PRIVATE_ADDRESS


async def test_a_name_is_asked_about_once_and_what_it_led_to_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere at the second look gains nothing (DNS rebinding): there is no second look."""
    looked_up: list[str] = []

    async def turning(_: object, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> Any:
        looked_up.append(host)
        address = "192.0.2.1" if len(looked_up) > 1 else "127.0.0.1"
        return [{"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}]

    monkeypatch.setattr(ThreadedResolver, "resolve", turning)

    assert await code_of("https://turning.example/") is ProblemCode.PRIVATE_ADDRESS
    looked_up_by_http = len(looked_up)
    looked_up.clear()
    around = Surroundings(lambda _: TOKEN, frozenset())
    with pytest.raises(FeedProblem) as caught:
        await anext(sftp_connector("turning.example:22", around).pull(Cursor()))
    assert caught.value.code is ProblemCode.PRIVATE_ADDRESS
    assert (looked_up_by_http, len(looked_up)) == (1, 1)


async def test_a_host_with_another_key_than_the_pinned_one_is_not_talked_to() -> None:
    """It is told neither user nor password."""
    other = asyncssh.generate_private_key("ssh-ed25519")
    faults = Faults()
    async with csv_file.serve_sftp([], TOKEN, faults, other) as host:
        with pytest.raises(FeedProblem) as caught:
            await anext(sftp_connector(host).pull(Cursor()))

    assert other != HOST_KEY
    assert caught.value.code is ProblemCode.TLS_REFUSED
    assert faults.requests == 0


async def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """Even a host allowed by name has to prove who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with server:
        code = await code_of(f"https://localhost:{port}/", f"localhost:{port}")

    assert code is ProblemCode.TLS_REFUSED


def self_signed(folder: Path) -> Path:
    """Write a certificate for localhost and its key to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
