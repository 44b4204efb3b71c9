"""The parts of pages that live news replace, by the id of their element: the very fragments that the pages include."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment

from platform_ui.asking import Part
from platform_ui.rollouts import generations, unheard


class Parts:
    def __init__(self, env: Environment) -> None:
        self._env = env

    def _html(self, name: str, **facts: Any) -> str:
        return self._env.get_template(f"parts/{name}.html").render(**facts)

    def home(self, seen: Mapping[str, Any]) -> dict[str, str]:
        names = ("attention", "lately", "home-apps", "home-kinds", "home-devices", *(("platform",) if seen["platform"] else ()))
        return {f"p-{name}": self._html(name, **seen) for name in names}

    def doors(self, apps: Sequence[Any]) -> dict[str, str]:
        """What somebody who only opens apps sees."""
        return {"p-doors": self._html("doors", apps=apps)}

    def apps(self, apps: Part, several: bool) -> dict[str, str]:
        return {"p-apps": self._html("apps", apps=apps, several=several)}

    def app(self, deployments: Sequence[Any], releases: Sequence[Any], failed: Mapping[str, Part]) -> dict[str, str]:
        """`failed` are the lines beside each failure, by the deployment's id."""
        told = {f"build-{r['id']}": self._html("release-state", r=r, deployments=deployments) for r in releases}
        for d in deployments:
            told |= self.deployment(d) | self.beside(d, failed)
            told[f"generations-{d['id']}"] = self._html("generations", d=d, generations=generations)
        return told

    def shape(self) -> dict[str, str]:
        """What the page holds is not what is there any more."""
        return {"p-shape": self._html("shape")}

    def beside(self, d: Mapping[str, Any], failed: Mapping[str, Part]) -> dict[str, str]:
        return {f"beside-{d['id']}": self._html("beside", d=d, failed=failed)}

    def running(self, deployment: str, rows: Part) -> dict[str, str]:
        return {f"p-instances-{deployment}": self._html("running", rows=rows)}

    def gauges(self, figures: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, str]:
        told = {}
        for f in figures:
            for what in ("cpu", "memory"):
                told[f"{what}-{f['instance']}"] = self._html(f"gauge-{what}", f=f, what=names[f["instance"]])
        return told

    def deployment(self, d: Mapping[str, Any]) -> dict[str, str]:
        """Those of the rollout's page and of the app's alike."""
        names = ("wanted", "serving", "bindings", "steps", "why", "lead", "state", "link", "open")
        return {f"{name}-{d['id']}": self._html(name, d=d) for name in names}

    def traffic(self, d: Mapping[str, Any], rollout: Any) -> dict[str, str]:
        return {"p-traffic": self._html("traffic", rollout=rollout, d=d)} if rollout else {}

    def build(self, release: Mapping[str, Any], build: Any) -> dict[str, str]:
        facts = {"release": release, "build": build or unheard(release)}
        return {f"p-{name}": self._html(name, **facts) for name in ("build-state", "build-steps", "build-end")}

    def devices(self, devices: Part) -> dict[str, str]:
        """Row by row: only what changed in one is replaced."""
        told = {"p-devices-sum": self._html("devices-sum", devices=devices)}
        for d in devices.value:
            told[f"value-{d['id']}"] = self._html("device-value", d=d)
            told[f"presence-{d['id']}"] = self._html("device-presence", d=d)
            told[f"age-{d['id']}"] = self._html("device-age", d=d)
        return told

    def values(self, shown: Mapping[str, Any], latest: Mapping[str, Any]) -> dict[str, str]:
        newest = max(latest.values(), key=lambda r: r["time"], default=None)
        told = {"p-presence": self._html("presence", newest=newest), "p-heard": self._html("heard", newest=newest, d=shown)}
        for s in shown["sensors"]:
            reading = latest.get(s["sensor"])
            told[f"value-{s['sensor']}"] = self._html("sensor-value", s=s, r=reading)
            told[f"age-{s['sensor']}"] = self._html("sensor-age", r=reading)
            told[f"quiet-{s['sensor']}"] = told[f"still-{s['sensor']}"] = self._html("sensor-quiet", r=reading)
        return told
