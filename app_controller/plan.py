"""What a manifest asks for, as the messages to deployer and sensor_manager say it."""

from __future__ import annotations

from collections.abc import Mapping

from app_controller.model import Chosen
from contracts.errors import Invalid, Problem
from contracts.manifest import Manifest
from contracts.manifest_service import Service
from contracts.messages.deployment import Need, Probe, ServiceWish
from contracts.messages.release import BuildPlan

HEALTH_WITHIN = 30.0
MOST_INSTANCES = 8
"""As many as the front door has slots for a link."""


def builds(manifest: Manifest) -> tuple[BuildPlan, ...]:
    return tuple(
        BuildPlan(service=name, runtime=s.runtime, command=s.command or "", packages=s.packages or "")
        for name, s in manifest.services.items()
    )


def kept(before: Chosen, manifest: Manifest, said: Chosen) -> Chosen:
    """What was chosen before, and `said` over it. A service or need that the release does not know any more is left out."""
    return Chosen(
        instances={n: v for n, v in before.instances.items() if n in manifest.services} | said.instances,
        where={n: v for n, v in before.where.items() if n in manifest.sensors} | said.where,
        environment=before.environment | said.environment,
    )


def services(manifest: Manifest, instances: Mapping[str, int], environment: Mapping[str, str]) -> tuple[ServiceWish, ...]:
    """With the deployment's own numbers of instances and environment. Invalid: a service that is not there, a number out of range."""
    unknown = sorted(set(instances) - set(manifest.services))
    problems = [
        Problem(path=f"instances.{n}", value=instances[n], rule=f"The app has no service '{n}'.", hint=_names(manifest))
        for n in unknown
    ]
    problems += [
        Problem(path=f"instances.{n}", value=count, rule=f"Instances are 1 to {MOST_INSTANCES}.", hint="Ask for fewer.")
        for n, count in instances.items()
        if n not in unknown and not 1 <= count <= MOST_INSTANCES
    ]
    if problems:
        raise Invalid("The deployment cannot be made so.", problems)
    return tuple(_wish(name, manifest, instances.get(name), environment) for name in manifest.services)


def needs(manifest: Manifest, where: Mapping[str, str]) -> tuple[Need, ...]:
    """With the deployment's own places. Invalid: a need the manifest does not name."""
    problems = [
        Problem(path=f"where.{n}", value=where[n], rule=f"The manifest asks for no sensors called '{n}'.",
                hint="It asks for: " + (", ".join(manifest.sensors) or "none") + ".")
        for n in sorted(set(where) - set(manifest.sensors))
    ]  # fmt: skip
    if problems:
        raise Invalid("The deployment cannot be made so.", problems)
    return tuple(
        Need(name=name, kind=n.kind, where=where.get(name, n.where), at_least=n.at_least, at_most=n.at_most, policy=n.policy)
        for name, n in manifest.sensors.items()
    )


def _wish(name: str, manifest: Manifest, instances: int | None, environment: Mapping[str, str]) -> ServiceWish:
    s = manifest.services[name]
    return ServiceWish(
        service=name,
        image="",
        command=s.command or "",
        port=s.port,
        public=s.public,
        probe=_probe(s),
        instances=instances or s.instances,
        cpu=s.limits.cpu,
        memory=s.limits.memory,
        pids=s.limits.pids,
        reserve_cpu=s.reserved_cpu,
        reserve_memory=s.reserved_memory,
        environment={**s.environment, **environment},
        policy="platform",
    )


def _names(manifest: Manifest) -> str:
    return "It has: " + ", ".join(manifest.services) + "."


def _probe(service: Service) -> Probe:
    health = service.probe
    if health is None:
        return Probe(within=HEALTH_WITHIN)
    return Probe(path=health.path or "", tcp=bool(health.tcp), within=health.within)
