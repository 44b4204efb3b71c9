"""The parts of pages that live news replace, by the id of their element: the very fragments that the pages include."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment

from platform_ui.asking import Part
from platform_ui.rollouts import unheard


class Parts:
    def __init__(self, env: Environment) -> None:
        self._env = env

    def _html(self, name: str, **facts: Any) -> str:
        return self._env.get_template(f"parts/{name}.html").render(**facts)

    def home(self, seen: Mapping[str, Any]) -> dict[str, str]:
        names = ("attention", "lately", "home-apps", "home-kinds", "home-devices")
        return {f"p-{name}": self._html(name, **seen) for name in names}

    def apps(self, apps: Part, several: bool) -> dict[str, str]:
        return {"p-apps": self._html("apps", apps=apps, several=several)}

    def app(self, deployments: Sequence[Any], releases: Sequence[Any]) -> dict[str, str]:
        told = {f"build-{r['id']}": self._html("release-state", r=r, deployments=deployments) for r in releases}
        for d in deployments:
            told |= self.deployment(d)
        return told

    def deployment(self, d: Mapping[str, Any]) -> dict[str, str]:
        """Those of the rollout's page and of the app's alike."""
        names = ("wanted", "serving", "bindings", "steps", "why", "lead", "state", "link", "open")
        return {f"{name}-{d['id']}": self._html(name, d=d) for name in names}

    def instances(self, rollout: Any) -> dict[str, str]:
        return {f"p-{name}": self._html(name, rollout=rollout) for name in ("instances", "traffic")} if rollout else {}

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
        return told
