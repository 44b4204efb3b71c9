"""Gathers what staff see of the platform: its parts, what they stand on, incidents, nodes. What does not answer is said with its age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.errors import NotFound
from platform_ui import nodes_shown, staff
from platform_ui.asking import Api, Part, hidden
from platform_ui.beats import Beats
from platform_ui.charted import Span
from platform_ui.lasting import Lasting

LATELY = 6


@dataclass(frozen=True)
class PlatformSeen:
    api: Api
    lasting: Lasting
    beats: Beats
    now: datetime

    def subsystems(self) -> dict[str, Any]:
        told = self._list("subsystems")
        replicas = [r for part in told.value for r in part["replicas"]]
        if not told.away:
            self.beats.see(replicas, self.now)
        figures = self._figures("subsystem")
        incidents = self.incidents(LATELY)
        rows = staff.rows(told.value, {f["instance"]: f for f in figures.value}, self.beats.of, self.now)
        backing = self.backing()
        return {
            "subsystems": told, "rows": rows, "figures": figures, "incidents": incidents, "backing": backing,
            "open": [i for i in incidents.value if i["state"] == "open"], "sum": staff.summary(told.value, backing.value),
        }  # fmt: skip

    def sparks(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float | None]]:
        """Each replica's cpu of the last quarter of an hour; nothing where it is not known."""
        found = {}
        for r in rows:
            told = hidden(self.api.get, "instances", r["replica"], "figures", since="15m", step="20s", empty={"items": []})
            found[r["replica"]] = nodes_shown.spark(told["items"])
        return found

    def backing(self) -> Part:
        told = self._list("backing")
        figures = {f["service"] or f["instance"]: f for f in self._figures("backing").value}
        return Part([b | {"figure": staff.figure_of(b["name"], figures)} for b in told.value], told.away, told.since)

    def incidents(self, limit: int = 50) -> Part:
        return self.lasting.part(f"incidents {limit}", lambda: self.api.items("incidents", limit=limit), [])

    def incident(self, id: str) -> Any:
        """NotFound."""
        return self.api.get("incidents", id)

    def nodes(self) -> Part:
        """By name, each as its card shows it."""
        told = self._list("nodes")
        return Part([nodes_shown.shown(n) for n in told.value], told.away, told.since)

    def node(self, id: str) -> dict[str, Any]:
        """By id or name. NotFound."""
        found: dict[str, Any] | None = next((n for n in self.nodes().value if id in (n["id"], n["name"])), None)
        if found is None:
            raise NotFound(f"Node {id} is not there.")
        return found

    def history(self, node: str, span: Span) -> Part:
        asked = {"since": nodes_shown.begin(self.now, span), "step": f"{span.step}s"}
        return self.lasting.part(f"{node} {span.key}", lambda: self.api.get("nodes", node, "figures", **asked)["items"], [])

    def on_node(self, node: str) -> Part:
        """What runs there: instances of apps as the agent sees them, everything else by its figures."""
        told = self.lasting.part(f"instances {node}", lambda: self.api.items("instances", node=node), [])
        figures = self.lasting.part(f"figures {node}", lambda: self.api.items("figures", node=node), [])
        known = staff.known(self._list("subsystems").value, self._list("backing").value)
        return Part(nodes_shown.running(told.value, figures.value, known), told.away or figures.away, told.since or figures.since)

    def home(self) -> dict[str, Any]:
        """What needs attention of the platform's own, and how it stands in short."""
        told, backing, nodes = self._list("subsystems"), self._list("backing"), self.nodes()
        incidents = self.incidents(0)
        return {
            "attention": staff.attention(told, backing, nodes, incidents, self.now),
            "platform": staff.standing(told, backing, nodes, incidents),
        }

    def open_incidents(self) -> int:
        return len(hidden(self.api.items, "incidents", limit=0, empty=[]))

    def _list(self, noun: str) -> Part:
        return self.lasting.part(noun, lambda: self.api.items(noun), [])

    def _figures(self, kind: str) -> Part:
        return self.lasting.part(f"figures of {kind}", lambda: self.api.items("figures", kind=kind), [])
