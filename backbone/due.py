"""Which documents' time has come, without asking for them again and again while nothing can be due."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from backbone.clock import text_of
from backbone.documents import Doc
from backbone.kept import Kept

REST = timedelta(seconds=5)
"""The longest time without a look: what another replica wrote is not told here."""


class Due:
    """Looks into `kept`, sorted by `field` (RFC 3339 text, absent while a document rests): at the earliest time that is known,
    after each `changed`, and every few seconds. Safe to share between threads."""

    def __init__(self, kept: Kept, field: str = "due") -> None:
        self._kept, self._field = kept, field
        self._look_at, self._changes = "", 0
        self._lock = threading.Lock()

    def changed(self) -> None:
        """To be called after each write of this process that may have set a time."""
        with self._lock:
            self._look_at, self._changes = "", self._changes + 1

    def now(self, now: datetime, most: int = 50) -> list[Doc]:
        """Those whose time has come, the longest due first."""
        moment, seen = text_of(now), self._changes
        if moment < self._look_at:
            return []
        found = self._kept.find({}, self._field, limit=most)
        due = [doc for doc in found if doc[self._field] <= moment]
        with self._lock:
            if not due and self._changes == seen:
                self._look_at = min([text_of(now + REST), *(doc[self._field] for doc in found[:1])])
        return due
