"""GET /nodes and GET /instances."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field

from backbone.clock import Clock, moment_of
from backbone.documents import Doc
from backbone.http import Blueprint, caller
from contracts.states import InstanceState
from node_manager.store import Nodes

SILENT = timedelta(seconds=30)


class InstancesQuery(BaseModel):
    """Of one deployment, one node, one workspace; `next` goes on where a page ended."""

    deployment: str = ""
    node: str = ""
    workspace: str = ""
    limit: int = Field(100, ge=1, le=500)
    next: str = ""


def routes(clock: Clock, store: Nodes) -> Blueprint:
    api = Blueprint("nodes", __name__)

    @api.get("/nodes")
    def nodes() -> Any:
        """Every node with its size, its firewall, and whether its agent was heard in the last 30 seconds."""
        now = clock.now()
        return {"items": [_node(doc, now - moment_of(doc["last"]) < SILENT) for doc in store.nodes()], "next": ""}

    @api.get("/instances")
    def instances(query: InstancesQuery) -> Any:
        """Instances as their nodes' agents see them, those that ended in the last ten minutes too."""
        claims = caller()
        where = {k: v for k in ("deployment", "node", "workspace") if (v := getattr(query, k))}
        if claims.readable is not None and not where.keys() & {"deployment", "workspace"}:
            where["workspace"] = claims.workspace or claims.subject
        found = store.instances(where, query.limit, query.next)
        shown = [_instance(doc) for doc in found if claims.may(doc["workspace"], "read")]
        return {"items": shown, "next": found[-1]["id"] if len(found) == query.limit else ""}

    return api


def _node(doc: Doc, heard: bool) -> dict[str, Any]:
    facts = {k: doc[k] for k in ("node", "name", "address", "cpus", "memory", "firewall", "reason", "last")}
    return facts | {"id": doc["id"], "heard": heard}


def _instance(doc: Doc) -> dict[str, Any]:
    hidden = ("correlation",)
    state = InstanceState(doc["state"]).name
    return {k: v for k, v in doc.items() if k not in hidden} | {"state_name": state}
