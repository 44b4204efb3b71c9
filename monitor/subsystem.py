"""Puts the monitor together: heartbeats in the loop, backing services on threads beside it, for they may be what stops the loop."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.clock import SystemClock
from backbone.documents import Declared
from backbone.lease import Lease
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from contracts.messages import ReplicaEnded, ReplicaReplaced, ReplicaSpared
from monitor.leading import Monitor
from monitor.recalling import Recall
from monitor.store import INCIDENTS, PARTS, Incidents, Parts
from monitor.watching import EVERY, Watch

LEASE = 2.5
ROUND = 0.5
"""Seconds between two looks at what was heard: beats come a second apart, and are gathered for half of one."""


def build(backbone: Backbone) -> Subsystem:
    from monitor.api import api

    store = Incidents(backbone.kept(INCIDENTS))
    leases = backbone.documents.collection(Declared("monitor_leases", {}))
    lease = Lease(leases, "leader", backbone.incarnation, LEASE, backbone.clock.monotonic)
    watch = Watch(backbone.clock, backbone.backing)
    recall = Recall(backbone.clock, Parts(backbone.documents.collection(PARTS)))
    monitor = Monitor(backbone, store, lease, watch, recall)
    alone = not isinstance(backbone.clock, SystemClock)

    def start() -> None:
        monitor.begin()
        if not alone:
            watch.begin(monitor.backing.keep, lambda: monitor.leads)

    def stop() -> None:
        watch.close()
        monitor.release()

    def ask() -> None:
        for name in watch.names:
            watch.ask(name)

    def keep() -> None:
        monitor.backing.keep()

    # where a test is the clock there are no threads
    instead = (Tick(EVERY, ask), Tick(ROUND, keep)) if alone else ()
    return Subsystem(
        backbone,
        handlers={ReplicaReplaced: monitor.replaced, ReplicaSpared: monitor.spared, ReplicaEnded: monitor.ended},
        ticks=(
            Tick(ROUND, monitor.listen), Tick(ROUND, monitor.lead), Tick(ROUND, monitor.round), Tick(600.0, monitor.tidy),
            Tick(5.0, monitor.miss), *instead,
        ),
        api=api(backbone, monitor, store),
        start=start,
        stop=stop,
    )  # fmt: skip
