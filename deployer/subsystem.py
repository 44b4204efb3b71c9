"""Puts the deployer together: builds beside the loop on threads of their own, rollouts in it, one step after the other."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.http import api
from backbone.live import Live
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from contracts.messages import InstanceSeen, ReleaseAccepted, RouteSeen, RunDeployment, StopDeployment
from deployer.api import builds_and_rollouts, live_routes
from deployer.buildlog import BuildLogs
from deployer.builds import Builds
from deployer.collect import Collector
from deployer.fleet import Fleet
from deployer.lines import BuildLines
from deployer.making import Maker
from deployer.rollouts import Rollouts
from deployer.store import BuildStore, RolloutStore

LOOK = 0.5
RESUME = 5.0
RECONCILE = 10.0
COLLECT = 600.0


def build(backbone: Backbone) -> Subsystem:
    live = Live()
    build_store, rollout_store = BuildStore(backbone), RolloutStore(backbone)
    logs = BuildLogs(backbone.blobs, backbone.clock, live.news)
    maker = Maker(backbone)
    lines = BuildLines(backbone)
    builds = Builds(backbone, build_store, maker, logs, lines)
    rollouts = Rollouts(backbone, rollout_store, Fleet(backbone), builds.images)
    collector = Collector(backbone, build_store, rollout_store, maker)

    return Subsystem(
        backbone,
        handlers={
            ReleaseAccepted: builds.accept,
            RunDeployment: rollouts.run,
            StopDeployment: rollouts.stop,
            InstanceSeen: rollouts.instance_seen,
            RouteSeen: rollouts.route_seen,
        },
        ticks=[
            Tick(LOOK, rollouts.look),
            Tick(LOOK, lines.look),
            Tick(RESUME, builds.resume),
            Tick(RECONCILE, rollouts.reconcile),
            Tick(COLLECT, collector.collect),
        ],
        api=api("deployer", [builds_and_rollouts(backbone, build_store, rollout_store, logs)], backbone),
        routes=live_routes(backbone, build_store, logs, live),
        live=live,
        start=builds.crew.start,
    )
