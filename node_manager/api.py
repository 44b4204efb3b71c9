"""GET /nodes and GET /instances."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field

from backbone.clock import Clock, moment_of, text_of
from backbone.documents import Doc
from backbone.http import Blueprint, caller
from contracts.figures import Figures
from contracts.states import InstanceState
from node_manager.newest import Newest
from node_manager.store import Nodes

SILENT = timedelta(seconds=30)


class InstancesQuery(BaseModel):
    """Of one deployment, one node, one workspace; `next` goes on where a page ended."""

    deployment: str = ""
    node: str = ""
    workspace: str = ""
    limit: int = Field(100, ge=1, le=500)
    next: str = ""


def routes(clock: Clock, store: Nodes, newest: Newest) -> Blueprint:
    api = Blueprint("nodes", __name__)

    @api.get("/nodes")
    def nodes() -> Any:
        """Every node with its size, its firewall, whether its agent was heard in the last 30 seconds, and its newest figures.

        `figures` is null where nothing was measured in the last ten seconds; within it `disk_…` where the disk cannot be seen.
        `instances` counts the apps' instances that run there, null where that is not known now.
        """
        now = clock.now()
        return {
            "items": [_node(doc, now - moment_of(doc["last"]) < SILENT, newest.of(doc["node"])) for doc in store.nodes()],
            "next": "",
        }

    @api.get("/instances")
    def instances(query: InstancesQuery) -> Any:
        """Instances as their nodes' agents see them, those that ended in the last ten minutes too.

        `node_name` is "" where the node is not known any more. `restarts` counts the instances of the same deployment and
        service that ended without being ordered to in the last day, to the hour.
        """
        claims = caller()
        where = {k: v for k in ("deployment", "node", "workspace") if (v := getattr(query, k))}
        if claims.readable is not None and not where.keys() & {"deployment", "workspace"}:
            where["workspace"] = claims.workspace or claims.subject
        found = store.instances(where, query.limit, query.next)
        readable = [doc for doc in found if claims.may(doc["workspace"], "read")]
        restarts = store.restarts({doc["deployment"] for doc in readable}, clock.now())
        names = {node["node"]: node["name"] for node in store.nodes()}
        shown = [_instance(doc, restarts.get((doc["deployment"], doc["service"]), 0), names) for doc in readable]
        return {"items": shown, "next": found[-1]["id"] if len(found) == query.limit else ""}

    return api


def _node(doc: Doc, heard: bool, newest: Figures | None) -> dict[str, Any]:
    facts = {k: doc[k] for k in ("node", "name", "address", "cpus", "memory", "firewall", "reason", "last")}
    figures = None if newest is None else {"time": text_of(newest.time), **newest.of_node.model_dump()}
    apps = None if newest is None else sum(one.kind == "app" for one in newest.instances)
    return facts | {"id": doc["id"], "heard": heard, "figures": figures, "instances": apps}


def _instance(doc: Doc, restarts: int, names: dict[str, str]) -> dict[str, Any]:
    hidden = ("correlation",)
    more = {"state_name": InstanceState(doc["state"]).name, "restarts": restarts, "node_name": names.get(doc["node"], "")}
    return {k: v for k, v in doc.items() if k not in hidden} | more
