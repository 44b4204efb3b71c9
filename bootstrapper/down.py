"""Takes an installation down in an order that loses nothing: subsystems, apps, then what they stood on. Data stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from backbone.clock import SystemClock
from bootstrapper import swarm
from bootstrapper.containers import Containers
from bootstrapper.engine import Engine, Refused
from bootstrapper.installation import Installation
from bootstrapper.power_cut import drop_bridges
from bootstrapper.services import Services
from bootstrapper.shell import Failed

APPS = "berth.deployment"
ASLEEP = "berth.asleep"
"""On an app's service: how many instances it had when the installation went down."""
GRACE = 20


def stop(engine: Engine, installation: Installation, say: Callable[[str], None]) -> None:
    services = Services(engine, installation)
    containers = Containers(engine, installation)
    for service in services.mine():
        if APPS not in service["Spec"]["Labels"]:
            engine.remove(f"/services/{service['ID']}")
    _ended(engine, installation, subsystems=True)
    say("subsystems stopped")
    for service in services.mine():
        _sleep(engine, service)
    _ended(engine, installation, subsystems=False)
    _forget_label(engine, installation)
    _clear_firewall(engine, installation)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda c: _stop(engine, c["Id"]), containers.mine()))
    say("backing services stopped")


def _stop(engine: Engine, container: str) -> None:
    engine.call("POST", f"/containers/{container}/stop", t=str(GRACE))
    engine.remove(f"/containers/{container}", force=True)


def _ended(engine: Engine, installation: Installation, subsystems: bool) -> None:
    """Waits until no task's container runs: a subsystem that still consumes would see the others go."""
    clock = SystemClock()
    end = clock.monotonic() + GRACE + 10
    wish = f"{installation.label}={installation.name}"
    labels = [wish, "berth.subsystem"] if subsystems else [wish, APPS]
    while clock.monotonic() < end:
        if not engine.call("GET", "/containers/json", filters={"label": labels}):
            return
        clock.sleep(0.1)
    raise Failed("Some containers did not stop.", f"docker ps -f label={wish}")


def _resize(engine: Engine, service: dict[str, Any], replicas: int, labels: dict[str, str]) -> None:
    spec = service["Spec"]
    spec["Mode"]["Replicated"]["Replicas"] = replicas
    spec["Labels"] = labels
    engine.call("POST", f"/services/{service['ID']}/update", spec, version=str(service["Version"]["Index"]))


def _sleep(engine: Engine, service: dict[str, Any]) -> None:
    """The deployer's record says that it is there, so it stays, with no instance."""
    labels = service["Spec"]["Labels"]
    if ASLEEP not in labels and "Replicated" in service["Spec"]["Mode"]:
        had = service["Spec"]["Mode"]["Replicated"]["Replicas"]
        _resize(engine, service, 0, {**labels, ASLEEP: str(had)})


def wake(engine: Engine, installation: Installation) -> int:
    """Apps that went to sleep with the installation get their instances back; how many services."""
    woken = 0
    for service in Services(engine, installation).mine():
        labels = dict(service["Spec"]["Labels"])
        if (had := labels.pop(ASLEEP, None)) is not None:
            _resize(engine, service, int(had), labels)
            woken += 1
    return woken


def _forget_label(engine: Engine, installation: Installation) -> None:
    """Instances are placed where the firewall stands; after `up` the agent says so anew."""
    name = f"{installation.name}.apps"
    for node in engine.call("GET", "/nodes"):
        spec = node["Spec"]
        if spec.get("Labels", {}).pop(name, None) is not None:
            engine.call("POST", f"/nodes/{node['ID']}/update", spec, version=str(node["Version"]["Index"]))


def _clear_firewall(engine: Engine, installation: Installation) -> None:
    """The agent's helper has the script and the rights; where it is gone, its rules name interfaces that are gone too."""
    helper = installation.own("firewall")
    state = engine.find(f"/containers/{helper}/json")
    if not state or not state["State"]["Running"]:
        return
    script = "/opt/berth/code/node_manager/firewall.sh"
    wish = {
        "Cmd": ["sh", script, "clear"],
        "Env": [f"MARK={installation.mark}"],
        "AttachStdout": True,
        "AttachStderr": True,
    }
    made = engine.call("POST", f"/containers/{helper}/exec", wish)
    engine.post_raw(f"/exec/{made['Id']}/start", {"Detach": False})


def purge(engine: Engine, installation: Installation) -> None:
    """Everything else that bears its name: apps, secrets, volumes, networks, the folder of secrets."""
    name = installation.name
    for service in Services(engine, installation).mine():
        engine.remove(f"/services/{service['ID']}")
    _ended(engine, installation, subsystems=False)
    labelled = {"label": [f"{installation.label}={name}"]}
    for container in engine.call("GET", "/containers/json", all=True, filters=labelled):  # of tasks that Swarm knows no more
        _patiently(lambda c=container: engine.remove(f"/containers/{c['Id']}", force=True))  # type: ignore[misc]
    for secret in engine.call("GET", "/secrets", filters=labelled):
        engine.remove(f"/secrets/{secret['ID']}")
    for volume in ("kafka", "postgres", "azurite", "slapd", "registry", "haproxy", "scratch", "agent"):
        _patiently(lambda v=volume: engine.remove(f"/volumes/{installation.own(v)}"))  # type: ignore[misc]
    for network in (installation.own("apps-platform"), installation.own("apps-internet"), f"{name}0"):
        _patiently(lambda n=network: swarm.remove(engine, n))  # type: ignore[misc]
        swarm.remove(engine, f"{network}-node")
    _patiently(lambda: swarm.remove(engine, name))
    drop_bridges(installation.bridges)
    _untag(engine, installation)
    shutil.rmtree(Path("/etc/docker/certs.d") / installation.registry, ignore_errors=True)
    shutil.rmtree(installation.home)


def _untag(engine: Engine, installation: Installation) -> None:
    """Its registry's names on this machine's images; an image that nothing else names goes with them."""
    for image in engine.call("GET", "/images/json"):
        for name in (*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())):
            if name.startswith(f"{installation.registry}/"):
                try:
                    engine.remove(f"/images/{name}")
                except Refused as refused:
                    if refused.status != 409:  # a container of somebody else runs from it
                        raise


def _patiently(act: Callable[[], object], seconds: float = 60) -> None:
    """Docker lets go of a network or volume a moment after its last container has gone."""
    clock = SystemClock()
    end = clock.monotonic() + seconds
    while True:
        try:
            act()
            return
        except Refused:
            if clock.monotonic() > end:
                raise
        clock.sleep(0.2)
