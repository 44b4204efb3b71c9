"""How long what died or hangs is missed, whether a busy machine kills what is well, and how soon a printed line is seen.

    ./berth bench alive [--name berth] [--repeats 30] [--minutes 10] [--lines 30] [--idle 60] [--only kill,hang,…] [--json]

Each subsystem in turn is killed with -9 and stopped with SIGSTOP, an instance is stopped, the monitor's leader is killed: `--repeats`
times each. A subsystem is back when the platform itself says that a new replica is ready, an instance when its successor is in the
front door's own table, the leader when the other one writes under a newer number. Phases are from the incidents' own timelines.
It brings the installation up where it does not stand. A part that is not there is said, and its figures are missing. The asker's own
steps and cost stand beside.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from bench.alive_busy import false_respawns
from bench.alive_lines import Missing, visible
from bench.alive_parts import Parts
from bench.idle import idle
from bench.report import quantile, spread, tell
from tests.scenarios.real_world import RealWorld

Figures = dict[str, float]


def of_parts(parts: Parts, how: str, repeats: int, figure: str) -> Figures:
    """`how` is kill or hang."""
    found = [parts.break_one(turn, how) for turn in range(repeats)]
    print(f"{how}: {repeats} times over {len(parts.names)} parts, until a new replica is ready (asked each {parts.step * 1000:.0f} ms)")
    print(f"  together              {spread([one.seconds for one in found])}", flush=True)
    for phase in ("noticed", "ordered", "killed", "heard", "ready"):
        if values := [one.phases[phase] for one in found if phase in one.phases]:
            print(f"  reached {phase:<13} {spread(values)}", flush=True)
    slowest = max(found, key=lambda one: one.seconds)
    print(f"  slowest: {slowest.part}", flush=True)
    return {figure: quantile([one.seconds for one in found], 0.99)}


def of_instances(parts: Parts, repeats: int) -> Figures:
    seconds = parts.hang_instances(repeats)
    print(f"instance stopped: {repeats} times, until its successor is in the front door's table\n  {spread(seconds)}", flush=True)
    return {"hang_s_p99": quantile(seconds, 0.99)}


def of_leaders(parts: Parts, repeats: int) -> Figures:
    seconds = [parts.kill_leader() for _ in range(repeats)]
    print(f"leader killed: {repeats} times, until the other one leads\n  {spread(seconds)}", flush=True)
    return {"leader_s_p99": quantile(seconds, 0.99)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="berth bench alive", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--name", default="berth")
    parser.add_argument("--home", default="/var/lib/berth")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=10, help="of builds at full load")
    parser.add_argument("--lines", type=float, default=30, help="seconds of printed lines")
    parser.add_argument("--idle", type=float, default=60, help="seconds of doing nothing")
    parser.add_argument("--only", default="", help="some of: " + ", ".join(WHAT))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    chosen = [one for one in asked.only.split(",") if one] or list(WHAT)
    if unknown := set(chosen) - set(WHAT):
        parser.error(f"--only knows {', '.join(WHAT)}, not {', '.join(sorted(unknown))}")

    figures: Figures = {}
    subprocess.run([sys.executable, "-m", "bootstrapper", "up", "--name", asked.name, "--quiet"], check=True)
    parts = Parts(RealWorld(Path(asked.home) / asked.name))
    for name in chosen:
        began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        try:
            figures |= WHAT[name](parts, asked)
        except (Missing, AssertionError, httpx.HTTPError) as error:
            print(f"{name}: NOT MEASURED: {error}", flush=True)
        own = resource.getrusage(resource.RUSAGE_SELF).ru_utime - used
        print(f"  ({name} took {time.monotonic() - began:.0f} s, of which this program's own {own:.1f} s of processor)", flush=True)
    tell("alive", figures, asked.json)


WHAT: Mapping[str, Callable[[Parts, argparse.Namespace], Figures]] = {
    "idle": lambda parts, asked: idle(asked.name, asked.idle),
    "visible": lambda parts, asked: visible(parts.world, asked.lines),
    "kill": lambda parts, asked: of_parts(parts, "kill", asked.repeats, "subsystem_s_p99"),
    "leader": lambda parts, asked: of_leaders(parts, asked.repeats),
    "instance": lambda parts, asked: of_instances(parts, asked.repeats),
    "hang": lambda parts, asked: of_parts(parts, "hang", asked.repeats, "subsystem_hang_s_p99"),
    "busy": lambda parts, asked: false_respawns(parts.world, asked.minutes),
}


if __name__ == "__main__":
    main()
