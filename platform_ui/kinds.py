"""Which kinds are booleans, so that pages say yes and no: kept for half a minute, for they hardly ever change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from backbone.clock import Clock
from platform_ui.asking import Api, hidden

FRESH = timedelta(seconds=30)


class Kinds:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[datetime, frozenset[str]]] = {}

    def booleans(self, api: Api, space: str) -> frozenset[str]:
        until, names = self._kept.get(space, (None, frozenset()))
        now = self._clock.now()
        if until is None or until <= now:
            found = hidden(api.items, "kinds", workspace=space, empty=[])
            names = frozenset(kind["name"] for kind in found if kind["value"] == "boolean")
            self._kept[space] = (now + FRESH, names)
        return names

    def said(self, api: Api, space: str, readings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Readings whose booleans are booleans: they are stored as 0 and 1."""
        names = self.booleans(api, space)
        return [{**r, "value": bool(r["value"])} if r["kind"] in names and r["value"] in (0, 1) else dict(r) for r in readings]
