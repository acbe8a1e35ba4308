"""This module writes the messages that webhooks get: a body of ids alone, and the headers of Standard Webhooks 1.0 that sign it."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final
from uuid import UUID

PREFIX: Final = "whsec_"


def spoken(secret: bytes) -> str:
    """Write a secret down as receivers take it."""
    return PREFIX + b64encode(secret).decode()


def message_id(key: bytes, webhook: UUID, body: bytes) -> str:
    """Name a message: the same whenever it is sent, and nothing that could be counted.

    What a body says happens once, so that it names the message by itself.
    """
    return "msg_" + hmac.digest(key, webhook.bytes + body, hashlib.sha256)[:16].hex()


def signed(secret: str, identifier: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """Give the headers of a message."""
    content = f"{identifier}.{seconds}.".encode() + body
    signature = hmac.digest(b64decode(secret.removeprefix(PREFIX)), content, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }
