"""The graph of an `up`: what comes before what. Every step finds out by itself whether its work stands already."""

from __future__ import annotations

from collections.abc import Callable

from bootstrapper import backing_up, daemon, host, platform_up, swarm
from bootstrapper.declared import Backing
from bootstrapper.graph import Step
from bootstrapper.work import Work


def all_steps(work: Work) -> list[Step]:
    """Of what may begin, the earlier in this list begins first: the platform's image is built and pushed the longest."""
    image = Step("image python", lambda: platform_up.python(work), ("base", "wheels"), heavy=True)
    return [*ground_steps(work), image, *backing_steps(work), *platform_steps(work)]


def ground_steps(work: Work) -> list[Step]:
    """The host, Docker, its Swarm; the base image, and what is fetched for the others meanwhile."""
    prepared, folders = work.prepared, work.folders

    def fetch(name: str, make: Callable[[], object]) -> Callable[[], None]:
        return lambda: backing_up.prepare(work, name, make)

    return [
        Step("host", lambda: daemon.install(work.say)),
        Step("maven", lambda: host.install(host.MAVEN, work.say), ("host",)),
        Step("secrets", lambda: backing_up.secrets(work)),
        Step("docker", lambda: daemon.start(work.say), ("host",)),
        Step("swarm", lambda: swarm.init(work.engine, work.installation.address), ("docker",)),
        Step("networks", lambda: swarm.networks(work.engine, work.installation), ("swarm",)),
        # not counted as heavy: all images wait for it, so it waits for no download
        Step("base", lambda: backing_up.base(work), ("docker",)),
        Step("wheels", fetch("site", prepared.site), heavy=True),
        Step("node", fetch("node", prepared.node), heavy=True),
        Step("pages' files", fetch("modules", lambda: prepared.modules(folders["node"])), ("node",), heavy=True),
        Step("pip", fetch("pip", prepared.pip), heavy=True),
        Step("jars", fetch("jars", prepared.jars), ("maven",), heavy=True),
        Step("azurite", fetch("azurite", lambda: prepared.azurite(folders["node"])), ("node",), heavy=True),
    ]


def backing_steps(work: Work) -> list[Step]:
    def image(backing: Backing) -> Step:
        fetched = {source.partition("/")[0] for source in backing.prepared}
        run = lambda: backing_up.build(work, backing)  # noqa: E731
        return Step(f"image {backing.name}", run, ("base", *sorted(fetched)), heavy=True)

    def start(backing: Backing) -> Step:
        run = lambda: backing_up.run(work, backing)  # noqa: E731
        return Step(f"run {backing.name}", run, (f"image {backing.name}", "secrets", "networks"))

    # the registry first: the images are pushed to it
    ours = sorted(work.ours(), key=lambda b: b.name != "registry")
    running = tuple(f"run {b.name}" for b in ours)
    return [
        *(step for backing in ours for step in (image(backing), start(backing))),
        Step("backing services ready", lambda: backing_up.ask(work), ("image python", "networks", "secrets", *running)),
    ]


def platform_steps(work: Work) -> list[Step]:
    registry = ("run registry",) if any(b.name == "registry" for b in work.ours()) else ("docker", "secrets")
    subsystems = work.subsystems()
    steps = [
        Step("registry answers", lambda: platform_up.registry_answers(work), registry),
        Step("push python", lambda: platform_up.push(work, "python"), ("image python", "push runtime"), heavy=True),
        Step("image runtime", lambda: platform_up.runtime(work), ("base", "pip")),
        Step("push runtime", lambda: platform_up.push_runtime(work), ("image runtime", "registry answers"), heavy=True),
        Step("image platform", lambda: platform_up.platform(work), ("image python", "pages' files")),
        Step("push platform", lambda: platform_up.push(work, "platform"), ("image platform", "push python")),
        Step("image haproxy", lambda: backing_up.build(work, backing_up.HAPROXY), ("base",), heavy=True),
        Step(
            "front door",
            lambda: platform_up.front_door(work),
            ("image haproxy", "image platform", "secrets", "networks"),
        ),
    ]
    for subsystem in subsystems:
        needs = ("push platform", "push runtime", "backing services ready")
        steps.append(Step(subsystem.name, platform_up.service(work, subsystem), needs))
    names = tuple(s.name for s in subsystems)
    return [
        *steps,
        Step("apps wake", lambda: platform_up.wake(work), ("agent",) if "agent" in names else ("docker",)),
        Step("platform ready", lambda: platform_up.ready(work), (*names, "front door", "apps wake")),
    ]
