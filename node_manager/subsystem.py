"""Role api: keeps what the agents say, and shows it."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.context import current
from backbone.http import api
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from contracts.messages import InstanceSeen, NodeSeen
from node_manager.api import routes
from node_manager.store import INSTANCES, NODES, Nodes


class NodeManager:
    def __init__(self, backbone: Backbone, store: Nodes) -> None:
        self._clock, self._store = backbone.clock, store

    def node_seen(self, news: NodeSeen) -> None:
        self._store.remember_node(news, self._clock.now())

    def instance_seen(self, news: InstanceSeen) -> None:
        self._store.remember_instance(news, current().workspace, self._clock.now())

    def tidy(self) -> None:
        self._store.forget(self._clock.now())


def build(backbone: Backbone) -> Subsystem:
    store = Nodes(backbone.kept(NODES), backbone.kept(INSTANCES))
    manager = NodeManager(backbone, store)
    return Subsystem(
        backbone=backbone,
        handlers={NodeSeen: manager.node_seen, InstanceSeen: manager.instance_seen},
        ticks=(Tick(60.0, manager.tidy),),
        api=api("node_manager", (routes(backbone.clock, store),), backbone),
    )
