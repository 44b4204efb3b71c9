"""Gathers what lists show: apps with their deployments, devices with their newest readings. A part that is away is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.errors import NotFound
from platform_ui import attention
from platform_ui.asking import Api, Part, part
from platform_ui.kinds import Kinds
from platform_ui.lately import lately
from platform_ui.model import moment
from platform_ui.platform_seen import PlatformSeen

SHOWN = 6


@dataclass(frozen=True)
class Overview:
    """`makes` is whether its reader may upload."""

    api: Api
    kinds: Kinds
    makes: bool = False

    def apps(self, spaces: Sequence[str]) -> Part:
        """By name; each with its deployments."""
        return part(lambda: self._each(spaces, "apps"), empty=[])

    def devices(self, spaces: Sequence[str]) -> Part:
        """By place; each with `latest` (its newest readings, newest first)."""
        return part(lambda: [d for space in spaces for d in self._devices(space)], empty=[])

    def home(self, spaces: Sequence[str], platform: PlatformSeen | None, now: datetime) -> dict[str, Any]:
        """`platform` for those who run it: what needs attention of it comes with the rest."""
        ours = platform.home() if platform else {"attention": [], "platform": []}
        apps, devices = self.apps(spaces), self.devices(spaces)
        deployments = [d for app in apps.value for d in app["deployments"]]
        waiting = {d["release"]["id"] for d in deployments if d["wanted"]["state"] == "FAILED"}
        found = [attention.of_deployment(d) for d in deployments]
        newest = [app["newest"] for app in apps.value if app["newest"] and app["newest"]["id"] not in waiting]
        found += [attention.of_release(release) for release in newest]
        found += attention.of_devices([(d, _age(d, now)) for d in devices.value], deployments)
        found += ours["attention"]
        shown = sorted(deployments, key=lambda d: moment(d["wanted"]["since"]), reverse=True)[:SHOWN]
        return {
            "platform": ours["platform"],
            "apps": apps,
            "devices": devices,
            "deployments": shown,
            "undeployed": [app for app in apps.value if not app["deployments"]][: SHOWN - len(shown)],
            "lately": lately(apps.value),
            "attention": attention.all_of(found),
            "kinds": kinds_of(devices.value),
            "makes": self.makes,
            "several": len(spaces) > 1,
        }

    def _each(self, spaces: Sequence[str], noun: str) -> list[Any]:
        return [item for space in spaces for item in self.api.items(noun, workspace=space)]

    def _devices(self, space: str) -> list[Any]:
        devices = self.api.items("devices", workspace=space)
        latest: dict[str, list[Any]] = {}
        if devices:
            for reading in self.kinds.said(self.api, space, self.api.items("readings", "latest", workspace=space)):
                latest.setdefault(reading["device"], []).append(reading)
        return [d | {"latest": sorted(latest.get(d["id"], []), key=lambda r: r["time"], reverse=True)} for d in devices]


def _age(device: dict[str, Any], now: datetime) -> float | None:
    return (now - moment(device["latest"][0]["time"])).total_seconds() if device["latest"] else None


def kinds_of(devices: Sequence[Any]) -> list[dict[str, Any]]:
    """Each kind with how many sensors it has and the mean of their newest numbers."""
    counts = Counter(s["kind"] for d in devices for s in d["sensors"])
    made = []
    for kind, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        some = [r for d in devices for r in d["latest"] if r["kind"] == kind]
        numbers = [r["value"] for r in some if isinstance(r["value"], (int, float)) and not isinstance(r["value"], bool)]
        mean = sum(numbers) / len(numbers) if numbers else None
        made.append({"name": kind, "sensors": count, "mean": mean, "unit": some[0]["unit"] if some else ""})
    return made


def found(call: Any, *args: str, **query: Any) -> Any:
    """None where it is not there."""
    try:
        return call(*args, **query)
    except NotFound:
        return None
