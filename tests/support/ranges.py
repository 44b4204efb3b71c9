"""Addresses that nothing on this machine has, for networks of a test's own."""

from __future__ import annotations

import ipaddress
import json
import subprocess

from tests.support.front_door import docker


def free_ranges(count: int) -> list[str]:
    """/24s that no network or route of this machine has."""
    ids = docker("network", "ls", "-q").split()
    known = json.loads(docker("network", "inspect", *ids, check=False) or "[]")
    taken = [c["Subnet"] for n in known for c in n["IPAM"]["Config"] or [] if "Subnet" in c]
    routes = json.loads(subprocess.run(["ip", "-4", "-j", "route"], capture_output=True, text=True, check=True).stdout)
    taken += [r["dst"] for r in routes if r["dst"] != "default"]
    used = [ipaddress.ip_network(t, strict=False) for t in taken if ":" not in t]
    ranges = ipaddress.ip_network("10.231.0.0/16").subnets(new_prefix=24)
    return [str(r) for r in ranges if not any(r.overlaps(u) for u in used)][:count]
