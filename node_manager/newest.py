"""The newest figures of each node, in memory: what the API shows as now."""

from __future__ import annotations

from datetime import datetime, timedelta

from backbone.clock import Clock
from contracts.figures import Figures, InstanceFigures

FRESH = timedelta(seconds=10)
"""What is older says nothing of now."""


class Newest:
    """Written by one thread, read by any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._nodes: dict[str, Figures] = {}

    def take(self, figures: Figures) -> bool:
        """False: something newer of that node is known already, or this is old."""
        known = self._nodes.get(figures.node)
        if known is not None and known.time >= figures.time:
            return False
        self._nodes = {**self._nodes, figures.node: figures}
        return self._fresh(figures.time)

    def all(self) -> list[Figures]:
        """Of each node that was heard in the last seconds."""
        return [figures for _, figures in sorted(self._nodes.items()) if self._fresh(figures.time)]

    def of(self, node: str) -> Figures | None:
        found = self._nodes.get(node)
        return found if found is not None and self._fresh(found.time) else None

    def instance(self, id: str) -> tuple[InstanceFigures, str] | None:
        """With the node it is on."""
        return next(((one, figures.node) for figures in self.all() for one in figures.instances if one.instance == id), None)

    def forget(self) -> None:
        """Nodes that were not heard for long."""
        self._nodes = {name: figures for name, figures in self._nodes.items() if self._fresh(figures.time, 60)}

    def _fresh(self, time: datetime, times: int = 1) -> bool:
        return self._clock.now() - time <= FRESH * times
