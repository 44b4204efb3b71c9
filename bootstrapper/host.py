"""What the host must have: programs, installed by apt where missing and said so."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from backbone.settings import Settings
from bootstrapper.shell import Failed, sh

DEBIAN_DOCKER = "/usr/bin/docker"  # Debian's own client has BuildKit without buildx

# program -> Debian's package
PROGRAMS = {
    "dockerd": "docker.io",
    DEBIAN_DOCKER: "docker.io",
    "iptables": "iptables",
    "ipset": "ipset",
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
    "ip": "iproute2",
    "tar": "tar",
}
# Kafka's jars alone need it: it is installed beside the rest of the work
MAVEN = {"mvn": "maven"}


def missing(programs: Mapping[str, str]) -> list[str]:
    """Packages whose programs are not there."""
    return sorted({package for program, package in programs.items() if not shutil.which(program)})


def docker_client() -> str:
    return DEBIAN_DOCKER if shutil.which(DEBIAN_DOCKER) else "docker"


def install(programs: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Install what is missing; a fresh machine has no package lists, so they are fetched first."""
    packages = missing(programs)
    if not packages:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failed(f"These are missing: {', '.join(packages)}.", f"apt-get install {' '.join(packages)}  (as root)")
    say(f"installing by apt: {' '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    wait = ("-o", "DPkg::Lock::Timeout=120")
    sh("apt-get", "update", "-qq", *wait, env=quiet)
    # maven asks for any JRE; the headless one is what Kafka's jars and Maven need
    extra = ["default-jre-headless"] if "maven" in packages else []
    sh("apt-get", "install", "-y", "-qq", "--no-install-recommends", *wait, *packages, *extra, env=quiet)


def address() -> str:
    """This node's address: BERTH_ADDRESS, else the source address of the default route, else loopback."""
    if given := Settings.from_environment().values.get("BERTH_ADDRESS"):
        return given
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # connecting a datagram socket sends nothing
        try:
            probe.connect(("203.0.113.1", 9))
        except OSError:
            return "127.0.0.1"
        found: str = probe.getsockname()[0]
        return found


def systemd() -> bool:
    return Path("/run/systemd/system").is_dir()
