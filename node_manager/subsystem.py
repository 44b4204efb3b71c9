"""Role api: keeps what the agents say and measure, and shows it."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.context import current
from backbone.http import api
from backbone.live import Live
from backbone.loop import Handler, Tick
from backbone.subsystem import Subsystem
from contracts.message import Message
from contracts.messages import InstanceSeen, NodeSeen, RunDeployment, StopDeployment
from node_manager import api_figures
from node_manager.api import routes
from node_manager.figures_live import FiguresLive
from node_manager.history.home import open_history
from node_manager.keeping import Keeper
from node_manager.newest import Newest
from node_manager.store import INSTANCES, NODES, RESTARTS, Nodes

LOOK = 0.5
FORGET = 600.0


class NodeManager:
    def __init__(self, backbone: Backbone, store: Nodes) -> None:
        self._clock, self._store = backbone.clock, store

    def node_seen(self, news: NodeSeen) -> None:
        self._store.remember_node(news, self._clock.now())

    def instance_seen(self, news: InstanceSeen) -> None:
        self._store.remember_instance(news, current().workspace, self._clock.now())

    def ordered(self, order: RunDeployment) -> None:
        self._store.remember_order(order)

    def stopped(self, order: StopDeployment) -> None:
        if order.destroy:
            self._store.forget_restarts(order.deployment)

    def tidy(self) -> None:
        self._store.forget(self._clock.now())


def build(backbone: Backbone) -> Subsystem:
    """On twins, which move by ticks alone, there is no thread."""
    store = Nodes(backbone.kept(NODES), backbone.kept(INSTANCES), backbone.kept(RESTARTS))
    manager, live, clock = NodeManager(backbone, store), Live(), backbone.clock
    newest, history, twins = Newest(clock), open_history(backbone), backbone.tables is None
    keeper = Keeper(lambda: backbone.records, history, newest, clock, live.news)
    handlers: dict[type[Message], Handler] = {
        NodeSeen: manager.node_seen,
        InstanceSeen: manager.instance_seen,
        RunDeployment: manager.ordered,
        StopDeployment: manager.stopped,
    }
    blueprints = (routes(clock, store, newest), api_figures.routes(clock, store, newest, history))
    return Subsystem(
        backbone=backbone,
        handlers=handlers,
        ticks=(Tick(60.0, manager.tidy), Tick(FORGET, keeper.forget), *((Tick(LOOK, keeper.step),) if twins else ())),
        api=api("node_manager", blueprints, backbone),
        routes=FiguresLive(backbone, newest).routes(live),
        live=live,
        start=lambda: None if twins else keeper.start(),
        stop=keeper.close,
    )
