"""A device that keeps passkeys, in software: what a browser and its authenticator do in a WebAuthn ceremony, and what a forger would."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.auth.kit import ISSUER, b64, unb64

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Credential:
    """A passkey, with its private key and its counter."""

    id: bytes
    key: ec.EllipticCurvePrivateKey
    user_handle: bytes
    count: int = 0


@dataclass
class Device:
    """Makes and shows passkeys. What it says of the site can be changed, as a forger would."""

    origin: str = ISSUER
    rp_id: str = "hub.example"
    flags: int = PRESENT | VERIFIED
    cross_origin: bool = False
    counts: bool = True
    credentials: list[Credential] = field(default_factory=list)

    def create(self, options: dict[str, Any]) -> str:
        """Make a passkey, as navigator.credentials.create does."""
        credential = Credential(
            secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1()), unb64(options["user"]["id"])
        )
        self.credentials.append(credential)
        return self.attest(credential, options)

    def attest(self, credential: Credential, options: dict[str, Any], name: bytes | None = None) -> str:
        """Tell the site of a new passkey, under another id if one is named."""
        name = name or credential.id
        point = credential.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        attested = bytes(16) + len(name).to_bytes(2) + name + cbor2.dumps(cose)
        about = self._about(self.flags | ATTESTED, credential.count) + attested
        response = {
            "clientDataJSON": b64(self._client_data("webauthn.create", options)),
            "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": about})),
            "transports": ["internal", "hybrid"],
        }
        return self._told(name, response)

    def get(self, options: dict[str, Any], credential: Credential | None = None) -> str:
        """Show a passkey, the newest unless another is named, as navigator.credentials.get does."""
        credential = credential or self.credentials[-1]
        credential.count += self.counts
        about, said = self._about(self.flags, credential.count), self._client_data("webauthn.get", options)
        response = {
            "clientDataJSON": b64(said),
            "authenticatorData": b64(about),
            "signature": b64(credential.key.sign(about + sha256(said).digest(), ec.ECDSA(SHA256()))),
            "userHandle": b64(credential.user_handle),
        }
        return self._told(credential.id, response)

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        }
        return json.dumps(said).encode()

    def _about(self, flags: int, count: int) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4)

    def _told(self, name: bytes, response: dict[str, Any]) -> str:
        return json.dumps({"id": b64(name), "rawId": b64(name), "type": "public-key", "response": response})
