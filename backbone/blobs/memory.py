"""The blobs' memory twin."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import BinaryIO

from contracts.errors import NotFound, Unavailable


class MemoryBlobs:
    """A test sets `away` to a reason to take the store away."""

    def __init__(self) -> None:
        self.away = ""
        self._blobs: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()

    def put(self, container: str, name: str, data: bytes | BinaryIO) -> int:
        return self.put_stream(container, name, [data if isinstance(data, bytes) else data.read()])

    def put_stream(self, container: str, name: str, chunks: Iterable[bytes]) -> int:
        self.ready()
        whole = b"".join(chunks)
        with self._lock:
            self._blobs[container, name] = whole
        return len(whole)

    def open(self, container: str, name: str) -> BinaryIO:
        return BytesIO(self.get(container, name))

    def get(self, container: str, name: str) -> bytes:
        self.ready()
        with self._lock:
            if (container, name) not in self._blobs:
                raise NotFound(f"there is no blob {container}/{name}")
            return self._blobs[container, name]

    def exists(self, container: str, name: str) -> bool:
        self.ready()
        with self._lock:
            return (container, name) in self._blobs

    def delete(self, container: str, name: str) -> bool:
        self.ready()
        with self._lock:
            return self._blobs.pop((container, name), None) is not None

    def list(self, container: str, prefix: str = "") -> Sequence[str]:
        self.ready()
        with self._lock:
            return sorted(name for kept, name in self._blobs if kept == container and name.startswith(prefix))

    def ready(self) -> None:
        if self.away:
            raise Unavailable(f"the blob store is away: {self.away}")

    def close(self) -> None:
        pass
