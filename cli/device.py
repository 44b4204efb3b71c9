"""This machine as a device: processor, memory, disk, load and temperature. What it cannot measure it does not send."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from cli.sending import Door, Reading, Sender

KINDS = {"cpu": "cpu", "memory": "memory", "disk": "disk", "load": "load", "temperature": "temperature"}


class Machine:
    """`proc` and `root` are the host's /proc and /, where they are mounted in a container."""

    def __init__(self, proc: str = "/proc", root: str = "/") -> None:
        psutil.PROCFS_PATH = proc
        self._proc, self._root = Path(proc), root
        psutil.cpu_percent()  # its first answer counts from the start and says nothing

    def values(self) -> dict[str, float]:
        """By key; a sensor the machine lacks is absent."""
        found: dict[str, float] = {"cpu": psutil.cpu_percent(), "memory": psutil.virtual_memory().percent}
        try:
            found["disk"] = psutil.disk_usage(self._root).percent
        except OSError:
            pass
        try:
            found["load"] = float((self._proc / "loadavg").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            pass
        degrees = self._temperature()
        return found if degrees is None else found | {"temperature": degrees}

    def _temperature(self) -> float | None:
        """The hottest that the kernel knows of."""
        read = getattr(psutil, "sensors_temperatures", None)  # only on Linux and FreeBSD
        found = [one.current for some in read().values() for one in some] if read else []
        sound = [degrees for degrees in found if degrees is not None and -90 <= degrees <= 200]
        return max(sound) if sound else None


def description(name: str, place: str, keys: Sequence[str]) -> dict[str, Any]:
    """The body of POST /devices for this machine."""
    return {"name": name, "place": place, "sensors": [{"key": key, "kind": KINDS[key]} for key in keys]}


def readings(values: dict[str, float], now: float) -> list[Reading]:
    return [{"sensor_id": key, "timestamp": round(now * 1_000_000), "value": value} for key, value in values.items()]


def name_of_host() -> str:
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in socket.gethostname().lower().split(".")[0]).strip("-")
    return name[:40].strip("-") or "host"


def run(sender: Sender, machine: Machine, every: float, rounds: int = 0) -> None:
    """For ever, or so many rounds."""
    count = 0
    while not rounds or count < rounds:
        began = time.monotonic()
        sender.offer(readings(machine.values(), time.time()))
        sender.flush(began)
        count += 1
        if not rounds or count < rounds:
            time.sleep(max(0.0, every - (time.monotonic() - began)))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="berth device", description=__doc__)
    parser.add_argument("--url", help="the platform's address, such as https://localhost:8443")
    parser.add_argument("--token-file", help="the file that holds the device's token")
    parser.add_argument("--ca", help="the file of the platform's CA certificate")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between readings")
    parser.add_argument("--proc", default="/host/proc" if os.path.isdir("/host/proc") else "/proc", help="the host's /proc")
    parser.add_argument("--root", default="/host/root" if os.path.isdir("/host/root") else "/", help="the host's /")
    parser.add_argument("--show", action="store_true", help="say what this machine can measure, and end")
    given = parser.parse_args(arguments)
    machine = Machine(given.proc, given.root)
    if given.show:
        for key, value in machine.values().items():
            print(f"{key}: {value:g}")
        return 0
    if not given.url or not given.token_file:
        parser.error("--url and --token-file are needed; the platform shows the token when the device is added.")
    token = Path(given.token_file).read_text().strip()
    sender = Sender(Door(given.url, token, given.ca).readings, lambda text: print(text, flush=True))
    print(f"sends {', '.join(machine.values())} every {given.every:g} s to {given.url}", flush=True)
    run(sender, machine, given.every)
    return 0


if __name__ == "__main__":
    sys.exit(main())
