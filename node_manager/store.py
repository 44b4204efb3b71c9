"""What is known of nodes and instances: the newest of each, one document apiece, and how often services were restarted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from backbone.clock import text_of
from backbone.documents import Declared, Doc
from backbone.kept import Kept
from contracts.errors import NotFound, Taken
from contracts.messages import InstanceSeen, NodeSeen, RunDeployment
from contracts.states import InstanceState
from node_manager import model_restarts

NODES = Declared("nodes", {"name": str})
INSTANCES = Declared("instances", {"deployment": str, "node": str, "workspace": str, "ended": str})
RESTARTS = Declared("restarts", {"deployment": str})
KEPT_AFTER_END = timedelta(minutes=10)


class Nodes:
    def __init__(self, nodes: Kept, instances: Kept, restarts: Kept) -> None:
        self._nodes, self._instances, self._restarts = nodes, instances, restarts

    def remember_node(self, news: NodeSeen, now: datetime) -> None:
        _put(self._nodes, news.node, news.model_dump(mode="json") | {"last": text_of(now)})

    def remember_instance(self, news: InstanceSeen, workspace: str, now: datetime) -> None:
        """What is gone stays gone, also when older news of it comes again."""
        facts = news.model_dump(mode="json") | {"workspace": workspace}
        before = self._instances.get(news.instance)
        if before and (before["state"] >= InstanceState.GONE or all(before.get(k) == v for k, v in facts.items())):
            return
        if before is None:  # first the count, which knows whom it has counted: should this process end here, it is done again
            came = partial(model_restarts.seen, generation=news.generation, instance=news.instance, now=now)
            self._count(news.deployment, news.service, came)
        ended = text_of(now) if news.state >= InstanceState.GONE else None
        _put(self._instances, news.instance, facts | {"since": text_of(now), "ended": ended})

    def remember_order(self, order: RunDeployment) -> None:
        """How many of each service are wanted: whoever comes beyond them is a restart."""
        for wish in order.services:
            told = partial(model_restarts.ordered, generation=order.generation, instances=wish.instances)
            self._count(order.deployment, wish.service, told)

    def forget_restarts(self, deployment: str) -> None:
        for doc in self._restarts.find({"deployment": deployment}, limit=100):
            self._restarts.delete(doc["id"])

    def restarts(self, deployments: set[str], now: datetime) -> dict[tuple[str, str], int]:
        """(deployment, service) -> of the last day; what never restarted may be missing."""
        where = {"deployment": next(iter(deployments))} if len(deployments) == 1 else {}
        found = self._restarts.find(where, limit=1000) if deployments else []
        return {(doc["deployment"], doc["service"]): model_restarts.restarts(doc, now) for doc in found}

    def forget(self, now: datetime) -> None:
        """Instances that ended long ago."""
        for doc in self._instances.find({"ended": ("<", text_of(now - KEPT_AFTER_END))}, limit=200):
            self._instances.delete(doc["id"])

    def nodes(self) -> list[Doc]:
        return self._nodes.find({}, sort="name", limit=1000)

    def instances(self, where: dict[str, Any], limit: int, after: str = "") -> list[Doc]:
        return self._instances.find(where, limit=limit, after=(None, after) if after else None)


    def instance(self, id: str) -> Doc | None:
        return self._instances.get(id)

    def node(self, id: str) -> Doc | None:
        return self._nodes.get(id)

    def _count(self, deployment: str, service: str, change: Callable[[Doc], Doc]) -> None:
        id = f"{deployment}/{service}"

        def changed(doc: Doc) -> tuple[Doc, tuple[()]] | None:
            new = change(doc)
            return None if new == doc else (new, ())

        try:
            self._restarts.change(id, changed)
        except NotFound:
            try:
                self._restarts.insert(id, change(model_restarts.begun(deployment, service)))
            except Taken:
                self._restarts.change(id, changed)


def _put(kept: Kept, id: str, doc: Doc) -> None:
    try:
        kept.change(id, lambda _: (doc, ()))
    except NotFound:
        try:
            kept.insert(id, doc)
        except Taken:
            kept.change(id, lambda _: (doc, ()))
