"""Public keys and revocations, on compacted topics that every checker reads to their end before it serves."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from contracts.message import Message
from contracts.topics import KEYS, REVOCATIONS


class KeyPublished(Message):
    """Tokens signed under `kid` are checked with this PEM public key (ES256)."""

    topic: ClassVar = KEYS
    key_field: ClassVar = "kid"
    kid: str
    pem: str


class TokenRevoked(Message):
    """The token `jti` counts no more; forgotten once `expires` has passed."""

    topic: ClassVar = REVOCATIONS
    key_field: ClassVar = "jti"
    jti: str
    expires: datetime
