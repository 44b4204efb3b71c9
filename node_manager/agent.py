"""The agent's work on instances: looks at the node's containers, asks those that are due, kills what hangs, notes what to say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from backbone.clock import Clock
from backbone.containers import Local, Node
from backbone.logs import get_log
from contracts.messages import InstanceSeen
from contracts.states import InstanceState
from node_manager import watching
from node_manager.probes import Prober
from node_manager.watching import Watch

log = get_log()
LOOK = 15.0
"""Seconds after which the containers are listed again also where Docker said nothing."""


@dataclass
class Known:
    """An instance as last listed; `asked` is when its probe in flight began."""

    local: Local
    watch: Watch
    asked: float = 0.0


Say = Callable[[InstanceSeen, str, str], None]
"""News, its correlation, its workspace."""


class Agent:
    """Safe to share between threads: what is repeated never overtakes what is new.

    `say` gets whatever is true now, and repeats nothing by itself; it decides what is news.
    """

    def __init__(self, node: Node, installation: str, prober: Prober, clock: Clock, say: Say, address: str = "") -> None:
        self._node, self._prober, self._clock, self._say = node, prober, clock, say
        self._labels = {"berth.installation": installation, "berth.deployment": ""}
        self._address, self._id = address, ""
        self._known: dict[str, Known] = {}
        self._ended: dict[str, Local] = {}
        self._look_at = 0.0
        self._lock = threading.Lock()

    def step(self, changed: bool = True) -> float:
        """One round. Gives the seconds until the next is due. Unavailable: Docker is away."""
        with self._lock:
            return self._round(changed)

    def _round(self, changed: bool) -> float:
        now = self._clock.monotonic()
        if changed or now >= self._look_at:
            self._look(now)
        for result in self._prober.results():
            self._heard(result.key, result.problem, now)
        for known in list(self._known.values()):
            self._attend(known, now)
        due = [k.watch.due for k in self._known.values() if not k.watch.asked]
        kills = [k.watch.kill_at for k in self._known.values() if k.watch.kill_at is not None]
        return max(0.0, min([*due, *kills, self._look_at]) - now)

    def here(self) -> set[str]:
        """Ids of the instances this node has, the lately ended ones too."""
        with self._lock:
            return {*(k.local.id for k in self._known.values()), *(e.id for e in self._ended.values())}

    def repeat(self) -> None:
        """Says again what is true of every instance that lives."""
        with self._lock:
            for known in self._known.values():
                self._tell(known.local, known.watch.state, known.watch.reason)

    def _look(self, now: float) -> None:
        self._look_at = now + LOOK
        self._id = self._id or self._node.machine().id
        found = {f"{one.container}/{one.incarnation}": one for one in self._node.local(self._labels)}
        for key, one in found.items():
            if one.state == "exited":
                self._known.pop(key, None)
                if key not in self._ended:
                    self._changed(one, InstanceState.GONE, one.reason or f"exit code {one.code}")
            elif one.state == "running" and key not in self._known:
                self._known[key] = Known(one, watching.begin(one.probe, now))
                self._changed(one, InstanceState.STARTING, "")
            elif key in self._known:
                self._known[key].local = one
        for key in self._known.keys() - found.keys():
            self._changed(self._known.pop(key).local, InstanceState.GONE, "removed")
        self._ended = {key: one for key, one in found.items() if one.state == "exited"}

    def _heard(self, key: str, problem: str, now: float) -> None:
        """A result of an instance that is gone meanwhile counts for nothing."""
        known = self._known.get(key)
        if known is None:
            return
        before, known.watch = known.watch.state, watching.answered(known.watch, problem, known.asked, now)
        if known.watch.state != before:
            self._changed(known.local, known.watch.state, known.watch.reason)

    def _attend(self, known: Known, now: float) -> None:
        watch, one = known.watch, known.local
        if watch.kill_at is not None and now >= watch.kill_at:
            log.warning("instance_killed", instance=one.id, deployment=one.labels.get("berth.deployment"), reason=watch.reason)
            self._node.kill(one.container)
            known.watch = watching.spared(watch, now)
        if watch.asked or now < watch.due:
            return
        if watch.silent:
            known.watch = watching.proven(watch, now)
            if known.watch.state != watch.state:
                self._changed(one, known.watch.state, "")
        elif not one.address:
            known.asked = now
            self._heard(f"{one.container}/{one.incarnation}", "it has no published port", now)
        else:
            known.watch, known.asked = watching.ask(watch), now
            self._prober.ask(f"{one.container}/{one.incarnation}", self._reach(one.address), watch.probe, watching.PATIENCE)

    def _changed(self, one: Local, state: InstanceState, reason: str) -> None:
        """What is new is logged, in the instance's own action, and said."""
        facts = {name: one.labels.get(f"berth.{name}", "") for name in ("deployment", "workspace", "correlation")}
        log.info("instance_seen", instance=one.id, state=state.name, reason=reason, **facts)
        self._tell(one, state, reason)

    def _tell(self, one: Local, state: InstanceState, reason: str) -> None:
        labels = one.labels
        news = InstanceSeen(
            deployment=labels["berth.deployment"],
            generation=int(labels.get("berth.generation") or 0),
            service=labels.get("berth.service", one.service),
            instance=one.id,
            incarnation=one.incarnation,
            node=self._id,
            address=self._reach(one.address),
            state=state,
            reason=reason,
            public=labels.get("berth.public") in ("1", "true"),
        )
        self._say(news, labels.get("berth.correlation", ""), labels.get("berth.workspace", ""))

    def _reach(self, address: str) -> str:
        """The setting's node address where there is one, with the instance's own published port."""
        return f"{self._address}:{address.rpartition(':')[2]}" if self._address and address else address
