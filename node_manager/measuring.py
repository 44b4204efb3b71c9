"""Once a second: looks at the node and at every container of the installation on it, and sends what the second held."""

from __future__ import annotations

import threading
from typing import Any

from backbone.backbone import Backbone
from backbone.bus.raw import Records
from backbone.clock import left
from backbone.containers import Local, Node
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.figures import Figures, InstanceFigures
from contracts.topics import FIGURES
from node_manager.figures import Gauge
from node_manager.model_figures import Look, NodeLook, cpu_of, of_node

log = get_log()
SECOND = 1.0
LIST = 10.0
"""Seconds after which the containers are listed again also where Docker said nothing."""
BACKING = ("kafka", "postgres", "azurite", "slapd", "registry", "haproxy")


class Measuring:
    """Used by one thread, but for `changed`. Figures are worth something only now: what Kafka does not take is dropped."""

    def __init__(self, backbone: Backbone, node: Node, gauge: Gauge) -> None:
        self._clock, self._node, self._gauge = backbone.clock, node, gauge
        self._backbone, self._installation = backbone, backbone.installation
        self._here: dict[str, InstanceFigures] = {}
        self._before: tuple[NodeLook, dict[str, Look]] | None = None
        self._list_at = 0.0
        self._changed = True
        self._closing = threading.Event()
        self.dropped = 0

    def changed(self) -> None:
        """Docker said that a container started or ended."""
        self._changed = True

    def step(self) -> None:
        """One second's look. The first one says nothing: a share of the processors needs two. Unavailable: Docker is away."""
        self._know()
        node, containers = self._gauge.node(), self._gauge.containers()
        before, self._before = self._before, (node, containers)
        if before is None or (of_it := of_node(before[0], node)) is None:
            return
        seen = []
        for id, look in containers.items():
            cpu = cpu_of(before[1].get(id), look)
            if cpu is not None and id in self._here:
                facts = {"cpu": cpu, "memory": look.memory, "memory_limit": look.limit}
                seen.append(self._here[id].model_copy(update=facts))
        machine = self._node.machine().id
        self._send(Figures(node=machine, time=self._clock.now(), of_node=of_it, instances=tuple(seen)))

    def run(self) -> None:
        """Each second until closed, when heartbeats are due too, however long a look takes; whatever happens, it goes on."""
        while not self._closing.is_set():
            try:
                self.step()
            except Unavailable as error:
                log.warning("figures_wait", reason=error.detail)
            except Exception:
                log.exception("measuring_failed")
            self._closing.wait(left(self._clock.monotonic(), SECOND))

    def close(self) -> None:
        self._closing.set()

    def _know(self) -> None:
        now = self._clock.monotonic()
        if not self._changed and now < self._list_at:
            return
        self._changed, self._list_at = False, now + LIST
        try:
            listed = self._node.running({"berth.installation": self._installation})
        except Unavailable:
            self._changed = True
            raise
        named = ((one.container, who(one, self._installation)) for one in listed)
        self._here = {id: one for id, one in named if one is not None}
        self._gauge.know(tuple(self._here))

    def _send(self, figures: Figures) -> None:
        records: Records = self._backbone.records
        try:
            records.send(FIGURES, figures.key, figures.encoded(), self._settled)
            records.poll(0)
        except Unavailable as error:
            self._settled(error)

    def _settled(self, error: Exception | None) -> None:
        if error is not None:
            if not self.dropped:
                log.warning("figures_dropped", reason=str(error))
            self.dropped += 1
        elif self.dropped:
            log.info("figures_sent_again", dropped=self.dropped)
            self.dropped = 0


def who(one: Local, installation: str) -> InstanceFigures | None:
    """Whose container it is, with nothing measured yet. None: a helper's, which nobody asks about."""
    facts: dict[str, Any] = {"instance": one.id, "cpu": 0.0, "memory": 0}
    labels = one.labels
    if deployment := labels.get("berth.deployment"):
        generation = int(labels.get("berth.generation") or 0)
        workspace, service = labels.get("berth.workspace", ""), labels.get("berth.service", one.service)
        return InstanceFigures(
            kind="app", service=service, workspace=workspace, deployment=deployment, generation=generation, **facts
        )
    if subsystem := labels.get("berth.subsystem"):
        return InstanceFigures(kind="subsystem", service=labels.get("berth.source", subsystem), **facts)
    service = one.service.removeprefix(f"{installation}-")
    return InstanceFigures(kind="backing", service=service, **facts) if service in BACKING else None
