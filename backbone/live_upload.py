"""An upload goes to a file as it comes, counted and hashed: never held in memory, and cut off at its limit."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO

from backbone.live import Call
from contracts.errors import TooLarge

PART = 1 << 20


@dataclass(frozen=True)
class Upload:
    """`file` stands at its beginning and is gone after the block; `digest` is the sha256 as hex."""

    file: IO[bytes]
    size: int
    digest: str


@asynccontextmanager
async def received(call: Call, most: int = 1 << 30) -> AsyncIterator[Upload]:
    """`async with received(call) as upload:`. TooLarge: more than `most` bytes, said by the client or counted."""
    said = call.request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > most:
        raise TooLarge(f"The upload has {said} bytes; at most {most} are taken.")
    size, part, digest = 0, bytearray(), hashlib.sha256()
    with tempfile.TemporaryFile() as file:

        def write(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        async for chunk in call.request.stream():
            size += len(chunk)
            if size > most:
                raise TooLarge(f"The upload has more than {most} bytes.")
            part += chunk
            if len(part) >= PART:
                await call.stored(write, bytes(part))
                part.clear()
        await call.stored(write, bytes(part))
        file.seek(0)
        yield Upload(file, size, digest.hexdigest())
