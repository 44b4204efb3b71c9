"""Hears every node's figures: the newest go to memory, and each ten seconds become one step of the history."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import ValidationError

from backbone.bus.raw import BEGINNING, Record, RecordConsumer, Records
from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.figures import Figures
from contracts.topics import FIGURES
from node_manager.history import FigureHistory, Row, Subject
from node_manager.model_figures import KEPT, STEP, Step, begin_of, joined
from node_manager.newest import Newest

log = get_log()
MOST = 2000
LATE = 5.0
"""Seconds after a step's end for which its last figures are waited for."""
PAUSE = 2.0
MOST_WAITING = 50_000
"""Rows kept while the history is away; of more the oldest are lost."""
AHEAD = timedelta(minutes=5)
"""A node's clock that runs further ahead is not believed."""


@dataclass
class Open:
    """The step that a node is in: where its first record stands, and what was seen of each subject so far."""

    begin: datetime
    partition: int
    offset: int
    rows: dict[str, Row] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        subject, step = row
        known = self.rows.get(subject.id)
        self.rows[subject.id] = (subject, joined(known[1], step) if known else step)


class Keeper:
    """Used by one thread. Every replica hears all nodes, so each can show what is now; what several write is the same."""

    def __init__(
        self, records: Callable[[], Records], history: FigureHistory, newest: Newest, clock: Clock, news: Callable[[], None]
    ) -> None:
        self._records, self._history, self._newest, self._clock, self._news = records, history, newest, clock, news
        self._consumer: RecordConsumer | None = None
        self._open: dict[str, Open] = {}
        self._waiting: list[Row] = []
        self._next: dict[int, int] = {}
        self._write_at = self._open_at = 0.0
        self._closing = False
        self.away = ""

    def step(self, seconds: float = 0.0) -> None:
        """Takes what is there, waiting so long for the first; writes the steps that are whole."""
        now = self._clock.monotonic()
        if self._consumer is None and not self._begin(now):
            self._clock.sleep(min(seconds, PAUSE))
            return
        assert self._consumer is not None
        fresh = False
        for record in self._consumer.poll(MOST, seconds):
            fresh = self._take(record) or fresh
        if fresh:
            self._news()
        self._close_late()
        if self._waiting and self._clock.monotonic() >= self._write_at:
            self._write()

    def run(self) -> None:
        """Until closed; whatever happens, the next second is heard."""
        while not self._closing:
            try:
                self.step(1.0)
            except Exception as error:
                self.away = f"keeping figures failed: {error!r}"
                log.exception("keeping_failed")
                self._clock.sleep(PAUSE)

    def start(self) -> None:
        threading.Thread(target=self.run, name="figures", daemon=True).start()

    def close(self) -> None:
        self._closing = True

    def forget(self) -> None:
        """What is older than a day."""
        now = self._clock.now()
        self._history.prepare(now)
        self._newest.forget()
        if gone := self._history.forget(now - KEPT):
            log.info("figures_forgotten", hours=gone)

    def _begin(self, now: float) -> bool:
        """Goes on where the history ends, so that no step is missing because this process was not there."""
        if now < self._open_at:
            return False
        try:
            self._history.prepare(self._clock.now())
            kept = self._history.offsets()
            places = {(FIGURES.name, n): kept.get(n, BEGINNING) for n in range(FIGURES.partitions)}
            self._consumer = self._records().consumer(None, [FIGURES], places)
            self.away = ""
        except Unavailable as error:
            self._said(error)
            self._open_at = now + PAUSE
        return self._consumer is not None

    def _take(self, record: Record) -> bool:
        """True: it is of now."""
        self._next[record.partition] = record.offset + 1
        try:
            figures = Figures.decoded(record.value)
        except ValidationError as error:
            log.error("figures_broken", key=record.key.decode("utf-8", "replace"), reason=str(error.errors(include_url=False)[0]))
            return False
        age = self._clock.now() - figures.time
        if age > KEPT or age < -AHEAD:
            log.warning("figures_of_another_time", node=figures.node, seconds=round(age.total_seconds()))
            return False
        begin, known = begin_of(figures.time), self._open.get(figures.node)
        if known is None or known.begin != begin:
            self._shut(figures.node)
            known = self._open[figures.node] = Open(begin, record.partition, record.offset)
        for row in rows_of(figures, begin):
            known.add(row)
        return self._newest.take(figures)

    def _close_late(self) -> None:
        """Steps of nodes that fell silent."""
        whole = self._clock.now() - timedelta(seconds=STEP + LATE)
        for node in [node for node, one in self._open.items() if one.begin <= whole]:
            self._shut(node)

    def _shut(self, node: str) -> None:
        if done := self._open.pop(node, None):
            self._waiting += done.rows.values()
            if (lost := len(self._waiting) - MOST_WAITING) > 0:
                log.error("figures_lost", rows=lost, reason="the history is away for long")
                del self._waiting[:lost]

    def _write(self) -> None:
        """The rows with where to go on: at the first record of the oldest step that is not whole."""
        offsets = dict(self._next)
        for one in self._open.values():
            offsets[one.partition] = min(offsets.get(one.partition, one.offset), one.offset)
        try:
            self._history.write(self._waiting, offsets)
            self._waiting, self.away = [], ""
        except Unavailable as error:
            self._said(error)
            self._write_at = self._clock.monotonic() + PAUSE

    def _said(self, error: Unavailable) -> None:
        if not self.away:
            log.warning("history_away", reason=error.detail)
        self.away = f"figures are not kept: {error.detail}"


def rows_of(figures: Figures, begin: datetime) -> list[Row]:
    """One second as steps of one sample."""
    node = figures.of_node
    cpu, memory = node.cpu, float(node.memory_used)
    whole = Step(begin, 1, cpu, cpu, memory, memory, node.load, _float(node.disk_used), node.received, node.sent)
    rows: list[Row] = [(Subject(figures.node, "node", node=figures.node), whole)]
    for one in figures.instances:
        subject = Subject(one.instance, one.kind, one.service, one.workspace, one.deployment, one.generation, figures.node)
        rows.append((subject, Step(begin, 1, one.cpu, one.cpu, float(one.memory), float(one.memory))))
    return rows


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)
