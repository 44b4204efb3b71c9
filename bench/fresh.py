"""A second Docker daemon with an empty data root, in its own network and mount namespace: how long `up` and `demo` take from nothing.

    ./berth bench fresh [--json] [--folder /var/tmp/berth-fresh]

Root only. Everything is made in namespaces of its own and removed afterwards; the host's Docker is not touched.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.fresh_machine import NAME, ROOT, FreshMachine
from bench.report import tell

COUNTED = """A fresh machine in namespaces: an empty Docker, no .venv, no prepared files, empty caches of pip, uv, npm and Maven.
  counted: .venv, dockerd's start, every download, every image, every service, until all of it answers
  not counted: apt packages that this host has already (docker.io, maven, mmdebstrap, iptables, ipset, python3-venv);
               what the kernel still holds of /usr in memory; a mirror near this host answers faster than the world's"""
STEP = re.compile(r"\s*(\d+\.\d) s  (?:FAILED )?(.+) \((\d+\.\d) s\)")
LINK_SECONDS = 10


class Broken(SystemExit):
    """A command on the fresh machine failed: there is nothing to measure."""


def timed(machine: FreshMachine, *words: str) -> tuple[float, list[str]]:
    """(seconds, lines printed) of `./berth WORDS` there; its lines are passed on as they come."""
    print(f"$ ./berth {' '.join(words)}", flush=True)
    began, lines = time.monotonic(), []
    process = machine.run("./berth", *words, out=subprocess.PIPE)
    assert process.stdout
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if not line.startswith(("{", "log in as ")):  # these hold passwords
            print(f"  {time.monotonic() - began:6.1f} | {lines[-1]}", flush=True)
    if code := process.wait():
        raise Broken(f"`./berth {' '.join(words)}` ended with {code} after {time.monotonic() - began:.0f} s on the fresh machine.")
    return time.monotonic() - began, lines


def phases(seconds: float, lines: list[str]) -> str:
    """What `up` itself did not see (launcher, .venv, Python's start), its end, and its longest steps."""
    steps = [(float(m[3]), m[2], float(m[1])) for line in lines if (m := STEP.fullmatch(line))]
    if not steps:
        return "no step took 0.3 s"
    end = max(step[2] for step in steps)
    longest = ", ".join(f"{name} {took:.1f}" for took, name, _ in sorted(steps, reverse=True)[:8])
    return f"launcher and .venv {max(0.0, seconds - end):.1f}, steps {end:.1f}; longest: {longest}"


def whole(machine: FreshMachine) -> None:
    """`status` says that all of it stands; else the figure before would be worth nothing."""
    process = machine.run("./berth", "status", "--json", out=subprocess.PIPE)
    said, _ = process.communicate(timeout=60)
    if process.returncode:
        raise Broken(f"After `up`, `status` says {process.returncode}: {said[-2000:]}")


def answers(machine: FreshMachine, link: str) -> float:
    """Seconds until the link gave 200 over TLS that the platform's own CA vouches for."""
    began = time.monotonic()
    ca = "/srv/lib/berth/ca.crt"
    while True:
        process = machine.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", ca, link, out=subprocess.PIPE)
        said, _ = process.communicate(timeout=30)
        if said == "200":
            return time.monotonic() - began
        if time.monotonic() - began > LINK_SECONDS:
            raise Broken(f"The demo's link {link} answers {said}, not 200.")
        time.sleep(0.1)


def last_json(lines: list[str]) -> dict[str, Any]:
    found = next((line for line in reversed(lines) if line.startswith("{")), "")
    if not found:
        raise Broken("`demo --json` printed no JSON line.")
    facts: dict[str, Any] = json.loads(found)
    return facts


def measure(folder: Path = Path("/var/tmp") / NAME) -> dict[str, float]:
    """up_cold_s, demo_cold_s, up_warm_s. demo_cold_s is that `up` and then `demo`, so it holds a needless second `up`."""
    print(COUNTED, flush=True)
    figures: dict[str, float] = {}
    with FreshMachine(folder) as machine:
        figures["up_cold_s"], lines = timed(machine, "up")
        print(f"up, cold: {phases(figures['up_cold_s'], lines)}", flush=True)
        whole(machine)
        link = ""
        if (ROOT / "bootstrapper/demo.py").exists():
            seconds, lines = timed(machine, "demo", "--json")
            link = str(last_json(lines)["app"])
            seconds += answers(machine, link)
            figures["demo_cold_s"] = figures["up_cold_s"] + seconds
            print(f"demo after it: {seconds:.1f} s, to 200 from {link}", flush=True)
        else:
            print("demo: not measured, this checkout has none", flush=True)
        again, _ = timed(machine, "up")
        stopped, _ = timed(machine, "down")
        figures["up_warm_s"], lines = timed(machine, "up")
        print(f"up, warm: {phases(figures['up_warm_s'], lines)}; `up` where all stands {again:.1f} s, `down` {stopped:.1f} s", flush=True)
        whole(machine)
        if link:
            print(f"after down and up the demo's link answers 200 again, {answers(machine, link):.1f} s later", flush=True)
        print(f"peak memory of the whole machine, page cache included: {machine.peak_mib():.0f} MiB", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="berth bench fresh", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp") / NAME, help="on a real disk; removed afterwards")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was made is removed then too
    try:
        tell("fresh", measure(asked.folder), asked.json)
    except KeyboardInterrupt:
        print("Interrupted: no figures; what was made is removed.", flush=True)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
