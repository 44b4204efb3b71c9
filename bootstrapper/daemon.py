"""Docker itself: started by hand where there is no systemd, with the settings that instances' safety asks for."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from backbone.clock import SystemClock
from bootstrapper import host, power_cut
from bootstrapper.engine import Engine
from bootstrapper.files import write
from bootstrapper.shell import Failed, sh

CONFIG = Path("/etc/docker/daemon.json")
PID = Path("/var/run/docker.pid")
LOG = Path("/var/log/berth/dockerd.log")
MARK = "berth.daemon=1"
# Swarm drops a service's no-new-privileges silently, so it is the daemon's; userland-proxy would listen past the firewall
WANTED = {
    "no-new-privileges": True,
    "userland-proxy": False,
    "labels": [MARK],
    "log-opts": {"max-size": "10m", "max-file": "2"},
}


def lacking() -> list[str]:
    """Settings that `up` would want and that Docker was not given."""
    try:
        there = json.loads(CONFIG.read_text())
    except FileNotFoundError:
        there = {}
    return [key for key in ("no-new-privileges", "userland-proxy") if there.get(key) != WANTED[key]]


def configure() -> None:
    """Write daemon.json only where none exists; another's is left alone."""
    if not CONFIG.exists():
        write(CONFIG, json.dumps(WANTED, indent=1) + "\n")


def _clear_stale_pid() -> None:
    """dockerd refuses to start on a pid file, also where no such process lives."""
    try:
        pid = int(PID.read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ValueError):
        name = ""
    if name != "dockerd" and PID.exists():
        PID.unlink()


def _launch() -> None:
    _clear_stale_pid()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
        )
    clock = SystemClock()
    end = clock.monotonic() + 180  # after a power cut it sets every container right before it answers
    while not Engine().lives():
        if process.poll() is not None:
            tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-5:])
            raise Failed(f"dockerd ended at once:\n{tail}", f"tail {LOG}")
        if clock.monotonic() > end:
            raise Failed("dockerd did not answer within 180 s.", f"tail {LOG}")
        clock.sleep(0.1)


def install(say: Callable[[str], None]) -> None:
    """The host's programs. Where Docker is not there yet its settings come first: apt starts it at once."""
    if host.missing({"dockerd": "docker.io"}) and os.geteuid() == 0:
        configure()
    host.install(host.PROGRAMS, say)


def start(say: Callable[[str], None]) -> None:
    """Docker answers when this returns."""
    if Engine().lives():
        if wrong := lacking():
            say(f"Docker runs without {', '.join(wrong)}, which hold instances in; `berth doctor` says what mends it")
        return
    if os.geteuid() != 0:
        raise Failed("Docker does not run, and only root can start it.", "sudo ./berth up")
    configure()
    power_cut.forget(say)
    if host.systemd():
        say("starting docker by systemd")
        sh("systemctl", "enable", "--now", "docker")
    else:
        say(f"no systemd here: starting dockerd by hand, log in {LOG}")
        _launch()
