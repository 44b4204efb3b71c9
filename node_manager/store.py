"""What is known of nodes and instances: the newest of each, one document apiece."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backbone.clock import text_of
from backbone.documents import Declared, Doc
from backbone.kept import Kept
from contracts.errors import NotFound, Taken
from contracts.messages import InstanceSeen, NodeSeen
from contracts.states import InstanceState

NODES = Declared("nodes", {"name": str})
INSTANCES = Declared("instances", {"deployment": str, "node": str, "workspace": str, "ended": str})
KEPT_AFTER_END = timedelta(minutes=10)


class Nodes:
    def __init__(self, nodes: Kept, instances: Kept) -> None:
        self._nodes, self._instances = nodes, instances

    def remember_node(self, news: NodeSeen, now: datetime) -> None:
        _put(self._nodes, news.node, news.model_dump(mode="json") | {"last": text_of(now)})

    def remember_instance(self, news: InstanceSeen, workspace: str, now: datetime) -> None:
        """What is gone stays gone, also when older news of it comes again."""
        facts = news.model_dump(mode="json") | {"workspace": workspace}
        before = self._instances.get(news.instance)
        if before and (before["state"] >= InstanceState.GONE or all(before.get(k) == v for k, v in facts.items())):
            return
        ended = text_of(now) if news.state >= InstanceState.GONE else None
        _put(self._instances, news.instance, facts | {"since": text_of(now), "ended": ended})

    def forget(self, now: datetime) -> None:
        """Instances that ended long ago."""
        for doc in self._instances.find({"ended": ("<", text_of(now - KEPT_AFTER_END))}, limit=200):
            self._instances.delete(doc["id"])

    def nodes(self) -> list[Doc]:
        return self._nodes.find({}, sort="name", limit=1000)

    def instances(self, where: dict[str, Any], limit: int, after: str = "") -> list[Doc]:
        return self._instances.find(where, limit=limit, after=(None, after) if after else None)


def _put(kept: Kept, id: str, doc: Doc) -> None:
    try:
        kept.change(id, lambda _: (doc, ()))
    except NotFound:
        try:
            kept.insert(id, doc)
        except Taken:
            kept.change(id, lambda _: (doc, ()))
