"""Asks instances whether they are well: many at once, without waiting for any of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.messages.deployment import Probe

MOST = 64 * 1024


@dataclass(frozen=True)
class Result:
    """`problem` is "" where the instance is well, else a sentence."""

    key: str
    problem: str


class Prober(Protocol):
    def ask(self, key: str, address: str, probe: Probe, patience: float) -> None:
        """Begins a probe and returns at once; its result comes later, exactly one."""

    def results(self) -> list[Result]:
        """What has come since this was last called."""


class NetProber:
    """Probes over the network on one event loop in a thread of its own. `came` is called there after each result."""

    def __init__(self, came: Callable[[], None]) -> None:
        self._came, self._done, self._lock = came, list[Result](), threading.Lock()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="prober", daemon=True).start()

    def ask(self, key: str, address: str, probe: Probe, patience: float) -> None:
        asyncio.run_coroutine_threadsafe(self._ask(key, question(address, probe), patience), self._loop)

    def results(self) -> list[Result]:
        with self._lock:
            done, self._done = self._done, []
        return done

    async def _ask(self, key: str, asking: Coroutine[Any, Any, str], patience: float) -> None:
        try:
            problem = await asyncio.wait_for(asking, patience)
        except TimeoutError:
            problem = f"no answer within {patience:g} s"
        except OSError as error:
            problem = f"no connection: {error.strerror or error}"
        except Exception as error:  # whatever an instance sends must not end the prober
            problem = f"no sense in its answer: {error!r}"
        with self._lock:
            self._done.append(Result(key, problem))
        self._came()


async def question(address: str, probe: Probe) -> str:
    """The problem, or "". HTTP: any status from 200 to 399 is well; a redirection is not followed."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=MOST)
    try:
        if not probe.path:
            return ""
        head = f"GET {probe.path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: berth-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        return judged(probe.path, await reader.readline())
    finally:
        writer.close()


def judged(path: str, line: bytes) -> str:
    """From the answer's first line."""
    words = line.split(None, 2)
    if not line:
        return f"GET {path}: the connection was closed without an answer"
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return f"GET {path}: the answer is not HTTP"
    status = int(words[1])
    return "" if 200 <= status < 400 else f"GET {path} answered {status}"
