"""A TCP proxy in front of a backing service, to cut it off or freeze it without touching it."""

from __future__ import annotations

import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Listens on 127.0.0.1:`port` and passes bytes on to (host, target) and back, as long as nothing is wrong."""

    def __init__(self, host: str, target: int) -> None:
        self._there = (host, target)
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._open, self._moving = True, threading.Event()
        self._lock = threading.Lock()
        self._moving.set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        threading.Thread(target=self._run, daemon=True).start()

    def freeze(self) -> None:
        """Connections stay, nothing passes: what a stopped machine looks like."""
        self._moving.clear()

    def thaw(self) -> None:
        self._moving.set()

    def cut(self) -> None:
        """Connections break and new ones are refused: what a dead process looks like."""
        with self._lock:
            self._forget(self._listener)
            for one in list(self._pairs):
                self._forget(one)

    def mend(self) -> None:
        with self._lock:
            self._listener = self._listen(self.port)
            self._selector.register(self._listener, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open = False
        self.thaw()
        self.cut()

    @staticmethod
    def _listen(port: int) -> socket.socket:
        return socket.create_server(("127.0.0.1", port), backlog=64)

    def _run(self) -> None:
        while self._open:
            ready = self._selector.select(timeout=0.05)
            self._moving.wait()
            for key, _ in ready:
                with self._lock:
                    self._serve(key.fileobj)

    def _serve(self, one: object) -> None:
        try:
            if one is self._listener:
                self._join(self._listener.accept()[0])
            elif isinstance(one, socket.socket) and one in self._pairs:
                data = one.recv(65536)
                self._pairs[one].sendall(data) if data else self._forget(one)
        except OSError:
            if isinstance(one, socket.socket) and one is not self._listener:
                self._forget(one)

    def _join(self, near: socket.socket) -> None:
        far = socket.create_connection(self._there)
        for one, other in ((near, far), (far, near)):
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forget(self, one: socket.socket) -> None:
        for end in (one, self._pairs.pop(one, None)):
            if end is not None and end.fileno() >= 0:
                self._pairs.pop(end, None)
                self._selector.unregister(end)
                end.close()
