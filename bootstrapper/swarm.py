"""The Swarm of one and the networks; what belongs to the whole daemon is made by the first `up`, later ones only check it."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from backbone.clock import SystemClock
from bootstrapper.engine import Engine, Refused
from bootstrapper.installation import Installation
from bootstrapper.shell import Failed, sh

SECOND = 10**9
OVERLAYS = "10.90.0.0/16"
BRIDGES = "172.28.0.0/14"  # cut into /20: 64 bridges on one machine
NO_ICC = {"com.docker.network.bridge.enable_icc": "false"}


def init(engine: Engine, address: str) -> None:
    info = engine.call("GET", "/info")["Swarm"]
    if info["LocalNodeState"] == "active":
        if not info["ControlAvailable"]:
            raise Failed("This machine is a worker of another Swarm; run `berth up` on a manager.")
        return
    wish = {
        "ListenAddr": f"{address}:2377",
        "AdvertiseAddr": address,
        "DefaultAddrPool": [OVERLAYS],
        "SubnetSize": 24,
        "Spec": {
            "Orchestration": {"TaskHistoryRetentionLimit": 2},
            "Dispatcher": {"HeartbeatPeriod": SECOND},
        },
    }
    engine.call("POST", "/swarm/init", wish)


def find_network(engine: Engine, name: str) -> Any:
    """By its exact name: Docker's filters match parts, and know nothing of overlays that no local container uses."""
    return engine.find(f"/networks/{name}")


def _make(engine: Engine, wish: dict[str, Any]) -> None:
    """Make it and wait until it has its addresses: Docker reports neither an overlap nor an empty pool."""
    try:
        engine.call("POST", "/networks/create", wish)
    except Refused as refused:
        if refused.status != 409:
            raise
    clock = SystemClock()
    end = clock.monotonic() + 20
    while clock.monotonic() < end:
        made = find_network(engine, wish["Name"])
        if made and (made.get("ConfigOnly") or made["IPAM"]["Config"]):
            return
        clock.sleep(0.05)
    raise Failed(
        f"The network {wish['Name']} got no addresses: the pool {OVERLAYS} may be used up or overlap the host's."
    )


def overlay(engine: Engine, installation: Installation) -> None:
    name = installation.name
    if find_network(engine, name):
        return
    labels = {installation.label: name}
    _make(engine, {"Name": name, "Driver": "overlay", "Attachable": True, "CheckDuplicate": True, "Labels": labels})


def _used(engine: Engine) -> list[ipaddress.IPv4Network]:
    """Every range some network or route of this machine has."""
    found: list[str] = []
    for network in engine.call("GET", "/networks"):
        found += [c["Subnet"] for c in (network["IPAM"]["Config"] or []) if c.get("Subnet")]
    for route in json.loads(sh("ip", "-4", "-j", "route", check=False) or "[]"):
        if route.get("dst", "default") != "default":
            found.append(route["dst"])
    return [ipaddress.IPv4Network(f, strict=False) for f in found if ":" not in f]


def free_range(used: list[ipaddress.IPv4Network]) -> str:
    for candidate in ipaddress.IPv4Network(BRIDGES).subnets(new_prefix=20):
        if not any(candidate.overlaps(u) for u in used):
            return str(candidate)
    raise Failed(f"No /20 of {BRIDGES} is free for a bridge.", "docker network prune")


def bridge(engine: Engine, installation: Installation, name: str, interface: str, options: dict[str, str]) -> None:
    """A Swarm-scoped bridge whose interface has the same name on every node, from a config-only network of the node's own."""
    labels = {installation.label: installation.name}
    local = f"{name}-node"
    if not find_network(engine, local):
        config = [{"Subnet": free_range(_used(engine))}]
        wish = {
            "Name": local, "ConfigOnly": True, "CheckDuplicate": True, "Labels": labels,
            "IPAM": {"Driver": "default", "Config": config},
            "Options": {"com.docker.network.bridge.name": interface, **options},
        }  # fmt: skip
        engine.call("POST", "/networks/create", wish)
    if not find_network(engine, name):
        wish = {
            "Name": name, "Driver": "bridge", "Scope": "swarm", "Attachable": True, "CheckDuplicate": True,
            "ConfigFrom": {"Network": local},  # which bears the label: Docker takes none here
        }  # fmt: skip
        engine.call("POST", "/networks/create", wish)


def networks(engine: Engine, installation: Installation) -> None:
    overlay(engine, installation)
    bridge(engine, installation, f"{installation.name}0", installation.own_bridge, {})
    prefix = installation.policy_prefix
    for policy, short in (("platform", "plat"), ("internet", "inet")):
        bridge(engine, installation, installation.own(f"apps-{policy}"), f"{prefix}-{short}", NO_ICC)


def remove(engine: Engine, name: str) -> None:
    engine.remove(f"/networks/{name}")
