"""What needs attention on the home page: a failed or stuck wish, an app that is not well, a device gone quiet. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_ui.model import ago, capital

MOST = 8
FEW = 3
"""So many quiet devices are told one by one; more have one cause, and would hide what else needs somebody."""


@dataclass(frozen=True)
class Attention:
    """`title` follows the link `name`; `more` says the cause and what serves meanwhile; one action."""

    tone: str
    name: str
    href: str
    title: str
    generation: int
    more: str
    action: str
    to: str


def of_deployment(d: Mapping[str, Any]) -> Attention | None:
    wanted, serving = d["wanted"], d["serving"]
    href = f"/deployments/{d['id']}"
    generation = wanted["generation"]
    meanwhile = _meanwhile(wanted, serving)
    if wanted["state"] == "FAILED":
        reason = wanted["reason"] or "No reason was given."
        title = "is short of sensors" if d["shortages"] else "failed"
        return Attention("bad", d["name"], href, title, generation, f"{_sentence(reason)} {meanwhile}".strip(), "Read why", href)
    if wanted["state"] == "BINDING" and d["shortages"]:
        reasons = " ".join(_sentence(s["reason"]) for s in d["shortages"])
        more = f"{reasons} {meanwhile}".strip()
        return Attention("warn", d["name"], href, "waits for sensors", generation, more, "See what is short", href)
    if serving["health"] in ("degraded", "down") and wanted["wish"] == "run":
        more = f"{serving['ready']} of {serving['wanted']} instances answer."
        tone = "warn" if serving["health"] == "degraded" else "bad"
        return Attention(tone, d["name"], href, f"is {serving['health']}", serving["generation"], more, "Open", href)
    return None


def of_release(release: Mapping[str, Any]) -> Attention | None:
    if release["state"] != "FAILED":
        return None
    href = f"/releases/{release['id']}"
    more = f"{_sentence(release['reason'] or 'No reason was given.')} What serves now goes on serving."
    return Attention("bad", release["app"], href, f"{release['version']} could not be built", 0, more, "Read the build", href)


def of_device(device: Mapping[str, Any], age: float | None, deployments: Iterable[Mapping[str, Any]] = ()) -> Attention | None:
    """Only one that has been heard before can be quiet. Who is bound to it is said."""
    if age is None or age <= 600 or age > 7 * 86400:
        return None
    href = f"/devices/{device['id']}"
    count = len(device["sensors"])
    bound = _bound([device["id"]], deployments)
    theirs = f", bound to {_some(bound, 2)}" if bound else ""
    more = f"Nothing for {ago(age)}. It has {count} sensor{'' if count == 1 else 's'}{theirs}."
    return Attention("warn", device["name"], href, "is quiet", 0, more, "Open device", href)


def of_devices(devices: Iterable[tuple[Mapping[str, Any], float | None]], deployments: Sequence[Mapping[str, Any]]) -> list[Attention]:
    """Each with the seconds since it was heard."""
    quiet = [(device, age, told) for device, age in devices if (told := of_device(device, age, deployments))]
    if len(quiet) <= FEW:
        return [told for _, _, told in quiet]
    names = _some([device["name"] for device, _, _ in quiet], FEW)
    bound = _bound([device["id"] for device, _, _ in quiet], deployments)
    theirs = f" Apps are bound to them: {_some(bound, FEW)}." if bound else ""
    more = f"Nothing for {ago(min(age or 0.0 for _, age, _ in quiet))} or longer from {names}.{theirs}"
    return [Attention("warn", f"{len(quiet)} devices", "/devices", "are quiet", 0, more, "See devices", "/devices")]


def _bound(devices: Iterable[str], deployments: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of deployments that get readings of any of these."""
    some = set(devices)
    return [d["name"] for d in deployments if any(x["device"] in some for given in d["bindings"].values() for x in given)]


def _some(names: Sequence[str], most: int) -> str:
    """The first of them, and how many more there are."""
    shown, left = names[:most], len(names) - most
    if left > 0:
        return f"{', '.join(shown)} and {left} other{'' if left == 1 else 's'}"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def of_incident(incident: Mapping[str, Any]) -> Attention | None:
    """One that is open, for those who run the platform."""
    if incident["closed"]:
        return None
    href, who = f"/incidents/{incident['id']}", incident["acknowledged_by"]
    last = incident["timeline"][-1]["text"] if incident.get("timeline") else ""
    more = f"{_sentence(capital(last))} " if last else ""
    tone = "busy" if incident.get("kind") == "restart" else "warn" if who else "bad"
    seen = f"{who} has seen it." if who else "Nobody has seen it yet."
    return Attention(tone, incident["title"], href, "", 0, f"{more}{seen}", "Open incident", href)


def all_of(found: Iterable[Attention | None]) -> list[Attention]:
    """The worst first."""
    return sorted((a for a in found if a), key=lambda a: ("bad", "warn").index(a.tone) if a.tone in ("bad", "warn") else 2)


def _meanwhile(wanted: Mapping[str, Any], serving: Mapping[str, Any]) -> str:
    if serving["health"] == "none":
        return "Nothing serves meanwhile."
    return f"g{serving['generation']} still serves." if serving["generation"] != wanted["generation"] else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
