"""What the platform's parts answered last, the same for all staff: where one does not answer now, that stands with its age."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from backbone.clock import Clock, text_of
from contracts.errors import BerthError, Forbidden, NotFound, Refused
from platform_ui.asking import Part

MOST = 500
"""Kept at most: questions differ by node and span."""


class Lasting:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[Any, datetime]] = {}
        self._lock = threading.Lock()

    def part(self, name: str, call: Callable[[], Any], empty: Any) -> Part:
        """Refused and Forbidden are the asker's own matter and go on."""
        try:
            value = call()
        except (Refused, Forbidden):
            raise
        except BerthError as error:
            kept, at = self._kept.get(name, (empty, None))
            why = "It does not serve this." if isinstance(error, NotFound) else error.detail or "It gives no reason."
            return Part(kept, why, text_of(at) if at else "")
        with self._lock:
            self._kept.pop(name, None)
            self._kept[name] = value, self._clock.now()
            while len(self._kept) > MOST:
                self._kept.pop(next(iter(self._kept)))
        return Part(value)
