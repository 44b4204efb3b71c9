"""The parts of the pages of staff that live news replace, by the id of their element."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Environment

from platform_ui.asking import Part


class StaffParts:
    def __init__(self, env: Environment) -> None:
        self._env = env

    def _html(self, name: str, **facts: Any) -> str:
        return self._env.get_template(f"parts/{name}.html").render(**facts)

    def subsystems(self, seen: Mapping[str, Any], sparks: Mapping[str, Any], whole: bool) -> dict[str, str]:
        """`whole`: the table's rows too."""
        told = {"p-subs-rows": self._html("subs-rows", **seen, sparks=sparks)} if whole else {}
        for r in seen["rows"]:
            told[f"spark-{r['key']}"] = self._html("sub-spark", r=r, sparks=sparks)
            told |= {f"{what}-{r['key']}": self._html(f"sub-{what}", r=r) for what in ("health", "beats", "last", "cpu", "memory")}
        told["p-backing"] = self._html("backing", backing=seen["backing"])
        return told | {f"p-{name}": self._html(name, **seen) for name in ("subs-sum", "subs-notes", "subs-incidents")}

    def incidents(self, incidents: Part) -> dict[str, str]:
        return {"p-incidents": self._html("incidents", incidents=incidents)}

    def incident(self, i: Mapping[str, Any]) -> dict[str, str]:
        return {f"p-{name}": self._html(name, i=i) for name in ("inc-state", "inc-lead", "inc-steps", "inc-about")}

    def nodes(self, nodes: Part, sparks: Mapping[str, Any]) -> dict[str, str]:
        told = {f"node-{n['id']}": self._html("node-card", n=n, sparks=sparks) for n in nodes.value}
        return told | {f"p-{name}": self._html(name, nodes=nodes) for name in ("nodes-sum", "nodes-notes")}

    def node(self, n: Mapping[str, Any]) -> dict[str, str]:
        return {f"p-{name}": self._html(name, n=n) for name in ("node-state", "node-why", "node-firewall")}

    def rows(self, n: Mapping[str, Any], running: Part) -> dict[str, str]:
        return {"rows": self._html("node-rows", n=n, running=running)}

    def figures(self, n: Mapping[str, Any], instances: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        return {"p-node-meters": self._html("node-meters", n=n)} | self.cells(instances)

    def cells(self, instances: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """CPU and memory of each."""
        told = {}
        for f in instances:
            row = {"service": f.get("service") or f["instance"], "figure": f}
            told[f"cpu-{f['instance']}"] = self._html("node-cpu", r=row)
            told[f"memory-{f['instance']}"] = self._html("sub-memory", r=row)
        return told
