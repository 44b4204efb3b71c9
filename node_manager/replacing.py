"""Replaces a replica of the platform's own on this node: only when it does not answer here either, or when a person ordered it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backbone.backbone import Backbone
from backbone.bus import Reader
from backbone.containers import Local, Node
from backbone.context import Action, acting
from backbone.logs import get_log
from contracts.errors import BerthError, Unavailable
from contracts.message import Envelope, Message
from contracts.messages import ReplaceReplica, ReplicaEnded, ReplicaReplaced, ReplicaSpared
from contracts.messages.deployment import Probe
from contracts.topics import NODES
from node_manager.probes import question

log = get_log()
PATIENCE = 1.0
"""Seconds a replica has to answer /live."""
LATE = 0.5
"""Seconds over its patience after which the asker itself was kept waiting, so that silence proves nothing."""
PORT = 8000

Ask = Callable[[str], str]
"""Asks an address for /live: "" where it answers well, else the problem."""


def live(address: str) -> str:
    """Over the network, within a second."""

    async def ask() -> str:
        return await asyncio.wait_for(question(address, Probe(path="/live")), PATIENCE)

    try:
        return asyncio.run(ask())
    except TimeoutError:
        return f"GET /live: no answer within {PATIENCE:g} s"
    except OSError as error:
        return f"GET /live: no connection: {error.strerror or error}"


class Replacing:
    """Hears every order from now on; what was said before the agent came the monitor says again. Used by one thread."""

    def __init__(self, backbone: Backbone, node: Node, ask: Ask = live) -> None:
        self._backbone, self._node, self._ask = backbone, node, ask
        self._reader: Reader | None = None
        self._fence = 0
        self._killed: dict[tuple[str, str], str] = {}
        self._closing = False

    def step(self, seconds: float) -> None:
        """Unavailable: the bus is away."""
        if self._reader is None:
            reader = self._backbone.bus.reader(NODES)
            reader.skip()
            self._reader = reader
        for envelope in self._reader.poll(seconds):
            if envelope.name == ReplaceReplica.__name__:
                self._hear(envelope)

    def run(self) -> None:
        """Until closed; whatever happens, the next order is heard."""
        while not self._closing:
            try:
                self.step(0.5)
            except Unavailable as error:
                log.warning("bus_away", reason=error.detail)
                self._backbone.clock.sleep(0.5)
            except Exception:
                log.exception("replacing_failed")
                self._backbone.clock.sleep(0.5)

    def close(self) -> None:
        self._closing = True

    def _hear(self, envelope: Envelope) -> None:
        order = ReplaceReplica.model_validate(envelope.body)
        if order.node != self._node.machine().id:
            return
        with acting(Action(envelope.correlation, envelope.id)):
            told = self._obey(order)
            facts = told.model_dump(include={"replica", "incident", "attempt", "reason"})
            log.warning("replica_order", became=type(told).__name__, subsystem=order.subsystem, role=order.role, **facts)
            said = self._backbone.wrapper.wrap([told])
            self._backbone.bus.send([(s.topic, s.key, s.envelope) for s in said])

    def _obey(self, order: ReplaceReplica) -> Message:
        facts = order.model_dump(include={"replica", "incarnation", "node", "incident", "attempt"})
        if order.fence < self._fence:
            late = f"ordered under lease number {order.fence}, and {self._fence} is known here: that monitor is not the leader any more"
            return ReplicaSpared(**facts, reason=late)
        self._fence = order.fence
        try:
            return self._replaced(order, facts)
        except BerthError as error:
            return ReplicaSpared(**facts, reason=error.detail)

    def _replaced(self, order: ReplaceReplica, facts: dict[str, str]) -> Message:
        """A replica has one container, so what was killed once cannot be killed again."""
        own = {"berth.installation": self._backbone.installation, "berth.subsystem": ""}
        found = next((one for one in self._node.local(own) if one.id == order.replica), None)
        if found is None or found.state == "exited":
            return self._ended(order, found, facts)
        began = self._backbone.clock.monotonic()
        problem = "a person ordered it" if order.ordered else self._problem(found)
        took = self._backbone.clock.monotonic() - began
        if not problem:
            return ReplicaSpared(**facts, reason="it answered GET /live")
        if took > PATIENCE + LATE:
            return ReplicaSpared(**facts, reason=f"this node is too busy to tell: waiting {PATIENCE:g} s took {took:.1f} s")
        self._killed[order.replica, order.incarnation] = problem
        self._node.kill(found.container)
        return ReplicaReplaced(**facts, reason=problem)

    def _problem(self, found: Local) -> str:
        address = found.networks.get(self._backbone.installation, "")
        return self._ask(f"{address}:{PORT}") if address else "it has no address on the platform's network"

    def _ended(self, order: ReplaceReplica, found: Local | None, facts: dict[str, str]) -> Message:
        if reason := self._killed.get((order.replica, order.incarnation), ""):
            return ReplicaReplaced(**facts, reason=f"{reason}; that was done before")
        if found is None:
            return ReplicaEnded(**facts, reason="it has no container here any more", stopped=False)
        return ReplicaEnded(**facts, reason=found.reason or f"exit code {found.code}", stopped=found.code == 0)
