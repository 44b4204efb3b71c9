"""The rules between a manifest's keys, asked of what was written so that every problem shows at once.

Each rule looks at plain values and is silent where they have the wrong type: the models say that already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.manifest_found import circles, keys, twice, unknown_service
from contracts.manifest_service import Reserve, Scale, Service
from contracts.manifest_values import Checked, size
from contracts.manifest_yaml import Found, Path
from contracts.manifest_yaml_words import quoted


def amount(rule: Checked, value: Any) -> float | None:
    return rule.passes(value) if value is not None else None


def between(written: Any) -> Iterator[Found]:
    """Every broken rule of services, release, sensors and actuators."""
    services = keys(written, "services")
    for name in services:
        service, path = keys(services, name), ("services", name)
        yield from _command(service, path)
        yield from _port(service, path)
        yield from _instances(service, path)
        yield from _reserve(service, path)
        for key in ("needs", "secrets"):
            yield from twice(service.get(key), (*path, key))
    yield from _public(services)
    yield from _needs(services)
    for key in ("tags", "egress"):
        yield from twice(written.get(key) if isinstance(written, dict) else None, (key,))
    release = keys(written, "release")
    yield from unknown_service(release.get("service"), ("release", "service"), services)
    for noun in ("sensors", "actuators"):
        for name, need in keys(written, noun).items():
            yield from _bounds(keys(need), (noun, name))


def _port(service: dict[str, Any], path: Path) -> Iterator[Found]:
    health = keys(service, "health")
    if isinstance(service.get("health"), dict):
        ways = [way for way in ("path", "tcp", "heartbeat") if way in health]
        if len(ways) != 1:
            said = " and ".join(ways) or "none of them"
            yield Found(
                (*path, "health"),
                health,
                f"Health has exactly one of path, tcp and heartbeat, not {said}.",
                "Keep one, such as 'health: {path: /healthz, within: 20s}'.",
            )
    if "port" in service:
        return
    reason = "Health by tcp" if "tcp" in health else "Health by path" if "path" in health else ""
    if service.get("public") is True or reason:
        rule = f"{reason or 'A public service'} needs a port, and this service names none."
        yield Found((*path, "port"), None, rule, "Add a line such as 'port: 8000'.")


def _instances(service: dict[str, Any], path: Path) -> Iterator[Found]:
    count, scale = service.get("instances", 1), keys(service, "scale")
    whole = isinstance(count, int) and not isinstance(count, bool)
    if keys(service, "storage"):
        if whole and count > 1:
            yield Found(
                (*path, "instances"), count, f"A service with storage has one instance, not {count}.", "instances: 1"
            )
        if "scale" in service:
            yield Found(
                (*path, "scale"),
                scale or None,
                "A service with storage has one instance and does not scale.",
                "Remove scale, or keep the data elsewhere.",
            )
    ways = [way for way in ("cpu", "requests", "lag") if way in scale]
    if isinstance(service.get("scale"), dict) and len(ways) != 1:
        said = " and ".join(ways) or "none of them"
        yield Found(
            (*path, "scale"), scale, f"Scale goes by exactly one of cpu, requests and lag, not {said}.", "Keep one."
        )
    most = amount(_rule(Scale, "at_most"), scale.get("at_most"))
    if whole and most is not None and most < count:
        yield Found(
            (*path, "scale", "at_most"),
            most,
            f"'at_most' is at least the {count} instances, not {most}.",
            f"at_most: {count}" if count <= 100 else "Write fewer instances.",
        )


def _reserve(service: dict[str, Any], path: Path) -> Iterator[Found]:
    for key, rule in (("cpu", _rule(Reserve, "cpu")), ("memory", size("8Mi", "256Gi"))):
        limit = keys(service, "limits").get(key)
        most = amount(rule, limit) if limit is not None else getattr(Service.model_fields["limits"].default, key)
        value = keys(service, "reserve").get(key)
        number = amount(rule, value)
        if number is not None and most is not None and number > most:
            said = limit if limit is not None else f"{most // 2**20}Mi" if key == "memory" else f"{most:g}"
            yield Found(
                (*path, "reserve", key),
                value,
                f"No more can be set aside than the limit of {said}, not {quoted(value)}.",
                f"{key}: {said}",
            )


def _rule(model: Any, key: str) -> Checked:
    """The rule of a model's key, so that a range stands in one place."""
    field = model.model_fields[key]
    kinds = (
        *field.metadata,
        *(rule for kind in getattr(field.annotation, "__args__", ()) for rule in getattr(kind, "__metadata__", ())),
    )
    return next(rule for rule in kinds if isinstance(rule, Checked))


def _public(services: dict[str, Any]) -> Iterator[Found]:
    public = [name for name in services if keys(services, name).get("public") is True]
    for name in public[1:]:
        yield Found(
            ("services", name, "public"),
            True,
            f"One service is public, and {quoted(public[0])} is already.",
            "public: false",
        )


def _needs(services: dict[str, Any]) -> Iterator[Found]:
    graph: dict[str, list[str]] = {}
    for name in services:
        needs = keys(services, name).get("needs")
        for index, need in enumerate(needs if isinstance(needs, list) else []):
            path = ("services", name, "needs", index)
            if need == name:
                yield Found(path, need, f"{quoted(name)} cannot need itself.", "Remove it.")
                continue
            yield from unknown_service(need, path, services)
            graph.setdefault(name, []).append(str(need))
    for name, circle in circles(graph):
        yield Found(
            ("services", name, "needs"),
            list(graph[name]),
            f"These wait for each other: {' needs '.join(circle)}.",
            "Remove one of them.",
        )


def _command(service: dict[str, Any], path: Path) -> Iterator[Found]:
    if "command" not in service and isinstance(service.get("runtime"), str) and service["runtime"] != "static":
        yield Found(
            (*path, "command"),
            None,
            f"'command' is missing in {'.'.join(map(str, path))}.",
            "Add a line such as 'command: python app.py'.",
        )


def _bounds(need: dict[str, Any], path: Path) -> Iterator[Found]:
    least, most = need.get("at_least", 1), need.get("at_most")
    if isinstance(least, int) and isinstance(most, int) and most < least and most is not True:
        yield Found(
            (*path, "at_most"),
            most,
            f"'at_most' is at least 'at_least', which is {least}, not {most}.",
            f"at_most: {least}" if 1 <= least <= 100_000 else "Write both so that they fit.",
        )
