"""The blobs port: the promise that Azure Blob Storage and the memory twin keep alike for zips, packages and logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import BinaryIO, Protocol


class Blobs(Protocol):
    """Named bytes in containers; safe to share between threads.

    A container's name is 3 to 63 of a-z, 0-9 and -; it is made at the first write. A blob's name is text of 1 to 1024
    characters, `/` allowed. A blob is there whole or not at all: a write that fails leaves what was there before, and a
    write to an existing name replaces it. What was acknowledged survives the death of the store.
    Every verb may raise Unavailable: of a write nothing is known then.
    """

    def put(self, container: str, name: str, data: bytes | BinaryIO) -> int:
        """Stores bytes, or a file from where it stands to its end, never whole in memory. Gives the size in bytes."""

    def put_stream(self, container: str, name: str, chunks: Iterable[bytes]) -> int:
        """Stores the chunks as they come; gives their size. If `chunks` raises, that passes on, nothing is stored."""

    def open(self, container: str, name: str) -> BinaryIO:
        """The blob as a file to read forwards, fetched piece by piece. NotFound."""

    def get(self, container: str, name: str) -> bytes:
        """The whole blob. NotFound."""

    def exists(self, container: str, name: str) -> bool:
        """Whether the blob is there."""

    def delete(self, container: str, name: str) -> bool:
        """False: it was not there."""

    def list(self, container: str, prefix: str = "") -> Sequence[str]:
        """The names that begin with `prefix`, in order; [] where there is no such container."""

    def ready(self) -> None:
        """Returns when the store answers, else raises Unavailable with the reason."""

    def close(self) -> None:
        """Lets go of connections; nothing may be asked afterwards."""
