"""Hears heartbeats in both replicas; the one that leads acts on silence, and writes down what happens."""

from __future__ import annotations

from datetime import datetime

from backbone.backbone import Backbone
from backbone.bus import Reader
from backbone.lease import Lease
from backbone.logs import get_log
from contracts.errors import Conflict, NotFound, Unavailable
from contracts.messages import Beat, ReplicaEnded, ReplicaReplaced, ReplicaSpared
from contracts.topics import BEATS
from monitor import model_incident as steps
from monitor.backing import Backing
from monitor.model import (
    FEWEST,
    FORGOTTEN,
    STALLED,
    SUSPICION,
    Heard,
    Known,
    forget,
    heard,
    name_of,
    suspects,
    together,
    with_missed,
)  # fmt: skip
from monitor.model_backing import CARRYING, silence_is_explained
from monitor.model_incident import Incident
from monitor.recalling import Recall
from monitor.store import Incidents
from monitor.watching import Watch

log = get_log()
RENEWED = 0.9
"""Seconds; a little less than one, so that each second look falls due."""
GATHERED = 0.5
"""Seconds that beats may be kept back: a question for each of them would be a third of what the idle platform costs."""
ROUNDS = 50
"""How often in a row the bus is asked for more before the monitor goes on with what it has."""
REMARK = "heartbeats wait for it: many replicas are not heard, and nobody is replaced because of it"


class Monitor:
    """Beats are kept in memory only: a monitor that starts anew hears every living replica again within a second."""

    def __init__(self, backbone: Backbone, store: Incidents, lease: Lease, watch: Watch, recall: Recall) -> None:
        self._backbone, self._clock, self._store, self._lease = backbone, backbone.clock, store, lease
        self.watch, self._recall = watch, recall
        self.backing = Backing(self._clock, watch, store, lambda: self._fence, self._remark)
        self._reader: Reader
        self._fence = 0
        self._renew_at = 0.0
        self._round_at = self._listening = self._clock.now()
        self._silent_rounds = 0
        self.known = Known()

    # -- in both replicas ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """What was beaten before it came says nothing."""
        self._reader = self._backbone.bus.reader(BEATS, together=GATHERED)
        self._reader.skip()

    def listen(self) -> None:
        """All beats that came since."""
        try:
            for _ in range(ROUNDS):
                if not (came := self._reader.poll(0)):
                    return
                for envelope in came:
                    if envelope.name == Beat.__name__:
                        self._hear(Beat.model_validate(envelope.body))
        except Unavailable:
            self._listening = self._clock.now()
            raise

    def _hear(self, beat: Beat) -> None:
        """Another installation on the same Kafka has a monitor of its own."""
        if beat.installation in ("", self._backbone.installation):
            self.known = heard(self.known, beat, self._clock.now())

    def replaced(self, told: ReplicaReplaced) -> None:
        self._note(told.incident, f"attempt {told.attempt}: its process was killed: {told.reason}", killed=True)

    def spared(self, told: ReplicaSpared) -> None:
        self._note(told.incident, f"attempt {told.attempt}: left alone: {told.reason}")

    def ended(self, told: ReplicaEnded) -> None:
        text = f"attempt {told.attempt}: it had ended: {told.reason}"
        self._note(told.incident, text, ended=True)
        if told.stopped:
            why = "it ended as one does that is told to stop"
            self._store.move(told.incident, lambda i: steps.closed(i, self._clock.now(), "stopped", why))

    def restart(self, replica: str, who: str) -> Incident:
        """What a person orders is done by the leader, in its next round. NotFound, Conflict."""
        one = self.known.alive.get(replica)
        if one is None:
            raise NotFound(f"No replica {replica} was heard in the last minute; GET /api/v1/subsystems lists those that were.")
        step = steps.restart(self._clock.new_id(), one, who, self._clock.now())
        if not self._store.add(step):
            raise Conflict(f"Replica {replica} is being replaced already; GET /api/v1/incidents shows how far that is.")
        return step[0]

    def _note(self, incident: str, text: str, **facts: bool) -> None:
        """Once, however often it is told."""
        try:
            self._store.move(incident, lambda i: steps.noted(i, self._clock.now(), text, **facts))
        except NotFound:
            log.info("incident_forgotten", incident=incident, text=text)

    # -- in the one that leads ----------------------------------------------------------------------------------------

    def lead(self) -> None:
        """Who leads renews each second; who follows looks twice as often, and takes over before a successor of the dead one could."""
        now = self._clock.monotonic()
        if self._fence and now < self._renew_at:
            return
        self._renew_at = now + RENEWED
        fence = self._lease.take() or 0
        if fence != self._fence:
            log.info("leads" if fence else "follows", fence=fence or self._fence)
            self._fence = fence

    @property
    def leads(self) -> bool:
        return bool(self._fence)

    def release(self) -> None:
        """So that the other one leads at once."""
        try:
            self._lease.release()
        except Unavailable as error:
            log.warning("lease_kept", reason=error.detail)

    def round(self) -> None:
        """Judges what was heard. After a pause of its own it counts silence anew: it has not listened meanwhile."""
        now = self._clock.now()
        if now - self._round_at > STALLED:
            self._listening = now
        self._round_at = now
        doubtful = silence_is_explained(self.watch.services(), now)
        if doubtful:
            self._listening = now
        if not (self._fence and self._lease.held()):
            if now - self._listening >= FORGOTTEN and not together(self.known, now):
                self.known = forget(self.known, now)
            return
        open = self._store.open()
        if now - self._listening >= FORGOTTEN and not any(i.kind == "silence" for i in open):
            self.known = forget(self.known, now, (i.replica for i in open))
        self.backing.mend(open)
        if doubtful:
            self._explain(open, doubtful, now)
        elif not self._all_silent(open, now) and not self._deaf(now):
            self._attend(open, now)
            self._recall.keep(self.known)

    def miss(self) -> None:
        """Once, in both replicas: what ran when that was last written down, and is not heard."""
        if missed := self._recall.missed(self.known):
            log.warning("replicas_missed", replicas=[name_of(h.beat) for h in missed])
            self.known = with_missed(self.known, missed)

    def _explain(self, open: list[Incident], service: str, now: datetime) -> None:
        """Why many are silent is known: one incident tells it, not two."""
        text = f"{service} is away, which explains it; its own incident goes on"
        for said in (i for i in open if i.kind == "silence"):
            self._store.move(said.id, lambda i: steps.closed(i, now, "over", text))

    def _remark(self, service: str) -> str:
        """What an outage means for what the monitor itself does."""
        now, known = self._clock.now(), self.known
        silent = sum(1 for h in known.alive.values() if now - h.at >= SUSPICION)
        return REMARK if service in CARRYING and silent >= FEWEST else ""

    def tidy(self) -> None:
        self._store.forget(self._clock.now())

    def _deaf(self, now: datetime) -> bool:
        """It does not even hear itself."""
        own = self.known.alive.get(self._backbone.replica)
        return own is None or now - own.at >= SUSPICION

    def _all_silent(self, open: list[Incident], now: datetime) -> bool:
        """Twice in a row is said; nothing is done from the first time on."""
        many = together(self.known, now)
        said = next((i for i in open if i.kind == "silence"), None)
        self._silent_rounds = self._silent_rounds + 1 if many else 0
        if many and said is None and self._silent_rounds > 1:
            log.warning("all_silent", silent=len(many), known=len(self.known.alive))
            self._store.add(steps.all_silent(self._clock.new_id(), many, self.known, now))
        if said and not many:
            self._store.move(said.id, lambda i: steps.closed(i, now, "over", "heartbeats are heard again"))
        return bool(many)

    def _attend(self, open: list[Incident], now: datetime) -> None:
        for incident in open:
            if incident.kind in ("replica", "restart"):
                self._go_on(incident, now)
        about = {i.replica for i in open}
        for lost in suspects(self.known, now, self._listening):
            if lost.beat.replica not in about:
                self._suspect(lost, now)

    def _suspect(self, lost: Heard, now: datetime) -> None:
        before = self._store.of_part(lost.part)
        if any(i.replica == lost.beat.replica and i.outcome in ("replaced", "stopped") for i in before):
            self.known = self.known.without([lost.beat.replica])
            return
        incident, said = steps.silent(self._clock.new_id(), lost, now)
        log.warning("replica_silent", incident=incident.id, subsystem=lost.beat.subsystem, role=lost.beat.role, replica=lost.beat.replica)
        if self._store.add((incident, said)):
            self._go_on(incident, now)

    def _go_on(self, incident: Incident, now: datetime) -> None:
        same = self._store.of_part(incident.part)
        claimed = {i.successor for i in same}
        ended = self._store.move(incident.id, lambda i: steps.ending(i, self.known, now, claimed), self._fence)
        if ended:
            log.info("incident_closed", incident=ended.id, subsystem=ended.subsystem, role=ended.role, outcome=ended.outcome)
            if ended.outcome in ("replaced", "stopped"):
                self.known = self.known.without([ended.replica])
        elif steps.due([incident] if incident.kind == "restart" else same, now) and self._lease.held():
            self._store.move(incident.id, lambda i: steps.tried(i, now, self._fence), self._fence)
