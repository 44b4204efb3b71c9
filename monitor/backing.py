"""Writes down what became of the backing services, where this monitor leads; what cannot be stored now is stored later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import NotFound, Unavailable
from monitor import model_incident as steps
from monitor.model_backing import NEAR, Change, Episode, title
from monitor.model_incident import Incident, Step
from monitor.store import Incidents
from monitor.watching import Watch

log = get_log()


class Backing:
    """`fence` is the number of this monitor's lease, 0 while it follows; `remark` what else is to be told of an outage, or "".

    Used by one thread.
    """

    def __init__(self, clock: Clock, watch: Watch, store: Incidents, fence: Callable[[], int], remark: Callable[[str], str]) -> None:
        self._clock, self._watch, self._store, self._fence, self._remark = clock, watch, store, fence, remark
        self._written: dict[tuple[str, datetime], tuple[str, int]] = {}
        self._held = False

    def keep(self) -> None:
        """All that is not stored yet, in order. PostgreSQL may be the one that is away: then it stays in memory."""
        fence = self._fence()
        if not fence:
            return
        try:
            for episode in self._watch.episodes():
                self._write(episode, fence)
            self._held = False
        except Unavailable as error:
            if not self._held:
                log.warning("incidents_held", reason=error.detail)
            self._held = True

    def _write(self, episode: Episode, fence: int) -> None:
        key = episode.service, episode.began
        incident, lines = self._written.get(key) or self._begun(episode, fence)
        self._written[key] = incident, lines
        for change in episode.changes[lines:]:
            try:
                self._store.move(incident, lambda i, c=change: self._told(i, c, fence), fence)  # type: ignore[misc]
            except NotFound:
                log.info("incident_forgotten", incident=incident)
            lines += 1
            self._written[key] = incident, lines
        if not episode.over and (text := self._remark(episode.service)):
            self._store.move(incident, lambda i: steps.noted(i, self._clock.now(), text, fence=fence), fence)

    def mend(self, open: list[Incident]) -> None:
        """One that another monitor opened, of a service that answers here and always has: nobody else would close it."""
        now = self._clock.now()
        known = {s.name: s for s in self._watch.services()}
        for incident in open:
            service = known.get(incident.subsystem)
            if incident.kind == "backing" and service and service.state == "up" and service.took is not None and now - service.since > NEAR:
                text = f"{service.name} answers; since when, no monitor saw"
                self._store.move(incident.id, lambda i, t=text: steps.closed(i, now, "recovered", t))  # type: ignore[misc]

    def _begun(self, episode: Episode, fence: int) -> tuple[str, int]:
        """Its incident and how many of its changes stand there: that which another monitor wrote, or a new one."""
        told = {id for id, _ in self._written.values()}
        near = [i for i in self._store.of_part((episode.service, "")) if i.kind == "backing" and i.id not in told]
        if same := [i for i in near if episode.same(i.opened, i.closed)]:
            return min(same, key=lambda i: abs(i.opened - episode.began)).id, len(episode.changes) - bool(episode.over)
        first = episode.changes[0]
        made = steps.backing(self._clock.new_id(), episode.service, title(episode), first.text, episode.last, first.at, fence)
        if self._store.add(made):
            return made[0].id, 1
        (open,) = [i for i in self._store.open() if i.about == made[0].about]
        return open.id, len(episode.changes) - bool(episode.over)

    @staticmethod
    def _told(incident: Incident, change: Change, fence: int) -> Step | None:
        if change.state == "up":
            return steps.closed(incident, change.at, "recovered", change.text)
        if any(line.text == change.text and abs(line.at - change.at) < NEAR for line in incident.timeline):
            return None
        name = f"{incident.subsystem} is away" if change.state == "away" else incident.title
        return steps.moved(incident, change.at, change.text, title=name, fence=fence)
