"""Sends readings through the front door: kept in a buffer while the platform is away, tried again with growing pauses."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATH = "/api/v1/readings"
MOST_KEPT = 50_000
AT_ONCE = 500
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
WORTH_PACKING = 1_000

Reading = dict[str, Any]
"""As POST /readings takes it."""


@dataclass(frozen=True)
class Outcome:
    """`status` 0: nobody answered. `wait` is what the platform asked for, in seconds."""

    status: int
    detail: str = ""
    wait: float = 0.0

    @property
    def settled(self) -> bool:
        """Taken, or refused for good: sending the same again would change nothing."""
        return 200 <= self.status < 300 or self.status in (400, 403, 413, 422)


Post = Callable[[Sequence[Reading]], Outcome]


class Sender:
    """One device's readings in their order. Times are given by the caller, in seconds of any steady clock."""

    def __init__(self, post: Post, say: Callable[[str], None] = print) -> None:
        self._post, self._say = post, say
        self._kept: deque[Reading] = deque()
        self._pause = self._next = 0.0
        self.sent = self.refused = self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    def offer(self, readings: Sequence[Reading]) -> None:
        """The oldest are given up where the buffer is full."""
        self._kept.extend(readings)
        while len(self._kept) > MOST_KEPT:
            self._kept.popleft()
            self.dropped += 1

    def flush(self, now: float) -> float:
        """Sends what is there, if it is time; in how many seconds to come again (0: whenever there is something)."""
        while self._kept and now >= self._next:
            batch = [self._kept[n] for n in range(min(AT_ONCE, len(self._kept)))]
            outcome = self._post(batch)
            if not outcome.settled:
                self._pause = min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE)
                self._next = now + max(self._pause, outcome.wait)
                self._say(f"waits {self._next - now:g} s, {len(self)} readings kept: {outcome.detail or outcome.status}")
                break
            self._pause = self._next = 0.0
            for _ in batch:
                self._kept.popleft()
            if outcome.status < 300:
                self.sent += len(batch)
            else:
                self.refused += len(batch)
                self._say(f"refused ({outcome.status}): {outcome.detail}")
        return max(0.0, self._next - now)


class Door:
    """The front door over one kept connection. Certificates are checked, against `ca` where one is given."""

    def __init__(self, url: str, token: str, ca: str | None = None, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"The address {url!r} is not like https://berth.example:8443.")
        self._host, self._port, self._timeout = parts.hostname, parts.port, timeout
        self._context = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self._token = token
        self._kept: http.client.HTTPConnection | None = None

    def readings(self, batch: Sequence[Reading]) -> Outcome:
        return self.ask("POST", PATH, list(batch))[0]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[Outcome, Any]:
        """The outcome and the answer's JSON."""
        raw = json.dumps(body).encode() if body is not None else b""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if len(raw) > WORTH_PACKING:
            raw, headers["Content-Encoding"] = gzip.compress(raw, 1), "gzip"
        for attempt in (1, 2):  # a kept connection may have been closed meanwhile
            fresh = self._kept is None
            try:
                return self._asked(method, path, raw, headers)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if fresh or attempt == 2:
                    return Outcome(0, f"no answer from {self._host}: {error or type(error).__name__}"), None
        raise AssertionError("one of two attempts returns")

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def _asked(self, method: str, path: str, raw: bytes, headers: dict[str, str]) -> tuple[Outcome, Any]:
        if self._kept is None:
            self._kept = (
                http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
                if self._context else http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            )  # fmt: skip
        self._kept.request(method, path, raw, headers)
        response = self._kept.getresponse()
        answer = response.read()
        told = json.loads(answer) if answer and "json" in response.headers.get("Content-Type", "") else {}
        wait = response.headers.get("Retry-After", "")
        detail = told.get("detail", "") if isinstance(told, dict) else ""
        return Outcome(response.status, detail, float(wait) if wait.isdigit() else 0.0), told
