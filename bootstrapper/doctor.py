"""Looks at the machine before and beside an `up`: each finding with the command that mends it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrapper import daemon, host, power_cut
from bootstrapper.containers import Containers
from bootstrapper.engine import Engine
from bootstrapper.installation import Installation
from bootstrapper.shell import Failed, sh

GIB = 1 << 30
MEMORY, DISK = 3 * GIB, 8 * GIB


@dataclass(frozen=True)
class Finding:
    """`mend` is a command, or a sentence where no command does it; empty where nothing is wrong."""

    what: str
    good: bool
    seen: str
    mend: str = ""


Check = Callable[[Engine, Installation], Finding]


def root(engine: Engine, own: Installation) -> Finding:
    return Finding("root", os.geteuid() == 0, f"user id {os.geteuid()}", "run it by sudo")


def python(engine: Engine, own: Installation) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "Python 3.11", sys.version_info[:2] == (3, 11), version, "apt-get install python3 python3-venv  (Debian 12)"
    )


def memory(engine: Engine, own: Installation) -> Finding:
    facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(facts["MemAvailable"].split()[0]) * 1024
    return Finding(
        "memory", free > MEMORY, f"{free / GIB:.1f} GiB available", f"free some: {MEMORY // GIB} GiB are needed"
    )


def disk(engine: Engine, own: Installation) -> Finding:
    free = shutil.disk_usage("/var/lib").free
    return Finding(
        "disk", free > DISK, f"{free / GIB:.1f} GiB free in /var/lib", "docker system df; then remove what is old"
    )


def programs(engine: Engine, own: Installation) -> Finding:
    lacking = host.missing({**host.PROGRAMS, **host.MAVEN})
    seen = f"missing: {', '.join(lacking)}" if lacking else "all there"
    return Finding("programs", not lacking, seen, f"apt-get install {' '.join(lacking)}  (`berth up` does it)")


def docker(engine: Engine, own: Installation) -> Finding:
    try:
        version = engine.call("GET", "/version")["Version"]
    except Failed as failed:
        return Finding("Docker", False, failed.cause, "berth up  (it starts dockerd)")
    return Finding("Docker", True, version)


def settings(engine: Engine, own: Installation) -> Finding:
    lacking = daemon.lacking()
    seen = f"{daemon.CONFIG} lacks {', '.join(lacking)}" if lacking else "as wanted"
    mend = f'set "no-new-privileges": true and "userland-proxy": false in {daemon.CONFIG}, then restart Docker'
    return Finding("Docker's settings", not lacking, seen, mend)


def swarm(engine: Engine, own: Installation) -> Finding:
    try:
        facts = engine.call("GET", "/info")["Swarm"]
    except Failed:
        return Finding("Swarm", False, "Docker does not answer", "berth up")
    good = facts["LocalNodeState"] == "active" and bool(facts["ControlAvailable"])
    return Finding(
        "Swarm", good, f"{facts['LocalNodeState']}, manager: {facts['ControlAvailable']}", "berth up  (it makes one)"
    )


def networks(engine: Engine, own: Installation) -> Finding:
    try:
        stuck = power_cut.stuck(engine)
    except Failed:
        return Finding("Docker's networks", True, "not asked: no Docker, or no Swarm yet")
    return Finding("Docker's networks", not stuck, "half forgotten after a power cut" if stuck else "whole", power_cut.MEND)


def cgroups(engine: Engine, own: Installation) -> Finding:
    two = Path("/sys/fs/cgroup/cgroup.controllers")
    there = two.read_text().split() if two.exists() else [p.name for p in Path("/sys/fs/cgroup").iterdir()]
    lacking = {"memory", "pids", "cpu"} - set(there)
    seen = f"missing: {', '.join(sorted(lacking))}" if lacking else f"version {2 if two.exists() else 1}"
    return Finding("cgroups", not lacking, seen, "boot with cgroup_enable=memory")


def bridges(engine: Engine, own: Installation) -> Finding:
    """Without it instances on one bridge see each other past the firewall."""
    path = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    seen = path.read_text().strip() if path.exists() else "no such setting"
    return Finding(
        "bridge-nf-call-iptables",
        seen == "1",
        seen,
        "modprobe br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1",
    )


def sets(engine: Engine, own: Installation) -> Finding:
    """The firewall's address sets: kernel modules ip_set and ip_set_hash_net."""
    try:
        sh("ipset", "create", "berth-doctor", "hash:net", "-exist")
        sh("ipset", "destroy", "berth-doctor")
    except (Failed, OSError) as error:
        return Finding("ipset", False, str(error), "modprobe ip_set_hash_net; apt-get install ipset")
    return Finding("ipset", True, "works")


def ports(engine: Engine, own: Installation) -> Finding:
    """Free, unless this installation itself holds them."""
    held: set[str] = set()
    try:
        running = {c["Names"][0] for c in Containers(engine, own).mine()}
        held |= {"registry"} if f"/{own.own('registry')}" in running else set()
        held |= {"https", "apps", "http", "apps-http"} if f"/{own.own('haproxy')}" in running else set()
    except Failed:
        pass  # without Docker nothing of ours runs
    names = {"https", "apps", "http", "apps-http", "registry"} - held
    taken = sorted(own.port(name) for name in names if _taken(own.port(name)))
    seen = f"taken: {', '.join(map(str, taken))}" if taken else f"free, or ours, from {own.base_port}"
    mend = f"ss -ltnp | grep -E ':({'|'.join(map(str, taken))}) '; or choose another --port"
    return Finding("ports", not taken, seen, mend)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return True
    return False


def address(engine: Engine, own: Installation) -> Finding:
    now = host.address()
    seen = f"{own.address}" if now == own.address else f"{own.address} at the first `up`, now {now}"
    return Finding(
        "this node's address", now == own.address, seen, f"BERTH_ADDRESS={own.address}, or `berth down --purge` and up"
    )


CHECKS: tuple[Check, ...] = (
    root, python, memory, disk, programs, docker, settings, swarm, networks, cgroups, bridges, sets, ports, address,
)  # fmt: skip


FIRST: tuple[Check, ...] = (python, disk, cgroups, ports)
"""Without these an `up` would fail late and say less."""


def before_up(engine: Engine, installation: Installation) -> None:
    bad = [f for check in FIRST if not (f := check(engine, installation)).good]
    if bad:
        raise Failed("\n".join(f"{f.what}: {f.seen}" for f in bad), bad[0].mend)


def examine(engine: Engine, installation: Installation) -> list[Finding]:
    return [check(engine, installation) for check in CHECKS]
