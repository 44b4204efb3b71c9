"""What the platform costs while nobody uses it: processor time and memory of every container of an installation, by the kernel's own count.

    ./berth bench idle [--name berth] [--seconds 60] [--json]

Percent are of one core. Apps and devices are shown, and are no part of the platform's sum; Docker's own processes stand apart, for
they serve all installations of the machine. `idle_memory_mb` is what the containers' processes hold themselves (not the files that
the kernel keeps for them). `idle_wakes_per_s` is how often one of their threads was woken, and `wake_us` what a fixed small piece of
work costs when it is woken for, right before and after: the first is the platform's, the second the machine's.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.report import tell
from bench.wake import price
from tests.scenarios.real_world import docker

ENGINE = ("dockerd", "containerd", "containerd-shim", "containerd-shim-runc-v2")
MIB = 2**20
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Container:
    """`part` is the service's name; `ours` is False for apps and devices."""

    id: str
    part: str
    pid: int
    ours: bool


@dataclass(frozen=True)
class Cost:
    """`cpu` in percent of one core, `memory` in MiB, `wakes` each second."""

    cpu: float
    memory: float
    wakes: float


def containers(installation: str) -> list[Container]:
    """All that run now, the platform's own and what it runs."""
    form = '{{.ID}}|{{.Names}}|{{.Label "berth.subsystem"}}'
    lines = docker("ps", "--no-trunc", "--filter", f"name=^{installation}-", "--format", form).splitlines()
    rows = [line.split("|") for line in lines]
    pids = docker("inspect", "-f", "{{.State.Pid}}", *(row[0] for row in rows)).split() if rows else []
    return [Container(id, part_of(name, installation), int(pid), owned(name, subsystem, installation))
            for (id, name, subsystem), pid in zip(rows, pids, strict=True)]  # fmt: skip


def part_of(name: str, installation: str) -> str:
    """Without the replica's number and task: `berth-monitor.2.0nl2…` is monitor."""
    return name.removeprefix(f"{installation}-").split(".")[0]


def owned(name: str, subsystem: str, installation: str) -> bool:
    """A part of the platform: a subsystem, or one of the plain containers beside them. Apps' services are `<name>-d-…`, devices of
    the demonstration `<name>-demo-…`."""
    return bool(subsystem) or not part_of(name, installation).startswith(("d-", "demo-"))


def groups(pid: int, proc: Path = Path("/proc")) -> dict[str, str]:
    """Controller -> the cgroup's path; "" is the unified hierarchy."""
    found: dict[str, str] = {}
    for line in (proc / str(pid) / "cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        found |= dict.fromkeys(names.split(","), path)
    return found


def cpu_seconds(pid: int, root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> float:
    mine = groups(pid, proc)
    if (old := root / "cpuacct").exists():
        return int((old / mine["cpuacct"].lstrip("/") / "cpuacct.usage").read_text()) / 1e9
    return int(_stat(root / mine[""].lstrip("/") / "cpu.stat")["usage_usec"]) / 1e6


def memory_mb(pid: int, root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> float:
    """Anonymous pages, swap included: files in the kernel's cache could go at any moment."""
    mine = groups(pid, proc)
    if (old := root / "memory").exists():
        stat = _stat(old / mine["memory"].lstrip("/") / "memory.stat")
        return (stat["total_rss"] + stat.get("total_swap", 0)) / MIB
    return _stat(root / mine[""].lstrip("/") / "memory.stat")["anon"] / MIB


def wakes(pid: int, root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> dict[str, int]:
    """Thread of the container -> how often it has gone to sleep by itself so far."""
    mine = groups(pid, proc)
    group = root / "cpuacct" / mine["cpuacct"].lstrip("/") if (root / "cpuacct").exists() else root / mine[""].lstrip("/")
    found: dict[str, int] = {}
    for one in (group / "cgroup.procs").read_text().split():
        for status in (proc / one / "task").glob("[0-9]*/status"):
            try:
                found[status.parent.name] = int(status.read_text().rpartition("\nvoluntary_ctxt_switches:")[2].split()[0])
            except OSError:
                continue  # it has just ended
    return found


def _stat(path: Path) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split()[:2] for line in path.read_text().splitlines() if " " in line)}


def engine_seconds(proc: Path = Path("/proc")) -> float:
    """All that Docker's own processes have used so far."""
    used = 0
    for one in proc.glob("[0-9]*/stat"):
        try:
            name, _, rest = one.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # it has just ended
        if name[:15] in {e[:15] for e in ENGINE}:
            words = rest.split()
            used += int(words[11]) + int(words[12])
    return used / TICK


Costs = dict[str, Cost]


def measure(installation: str, seconds: float, sleep: Callable[[float], None] = time.sleep) -> tuple[Costs, Costs, float]:
    """(the platform's parts, apps and devices, Docker's own percent). Whatever comes or goes meanwhile is not counted, and is said."""
    there = containers(installation)
    if not there:
        raise SystemExit(f"No container of {installation} runs here; `./berth up` starts it.")
    slept = {c: wakes(c.pid) for c in there}
    began, before, engine = time.monotonic(), {c: cpu_seconds(c.pid) for c in there}, engine_seconds()
    sleep(seconds)
    took, ours, others = time.monotonic() - began, dict[str, Cost](), dict[str, Cost]()
    for one, used in before.items():
        try:
            cpu = (cpu_seconds(one.pid) - used) / took * 100
            woken = sum(n - slept[one].get(thread, 0) for thread, n in wakes(one.pid).items()) / took
            cost = Cost(cpu, memory_mb(one.pid), woken)
        except (OSError, KeyError):
            print(f"  {one.part} ended meanwhile: it is not counted", flush=True)
            continue
        into = ours if one.ours else others
        so_far = into.get(one.part, Cost(0, 0, 0))
        into[one.part] = Cost(so_far.cpu + cost.cpu, so_far.memory + cost.memory, so_far.wakes + cost.wakes)
    return ours, others, (engine_seconds() - engine) / took * 100


def table(title: str, costs: Mapping[str, Cost]) -> None:
    print(f"{title:<28} {'cpu %':>8} {'MiB':>8} {'wakes/s':>8}")
    rows = [*sorted(costs.items(), key=lambda item: -item[1].cpu), ("together", total(costs))]
    for part, cost in rows:
        print(f"  {part:<26} {cost.cpu:8.2f} {cost.memory:8.1f} {cost.wakes:8.1f}", flush=True)


def total(costs: Mapping[str, Cost]) -> Cost:
    every = costs.values()
    return Cost(sum(c.cpu for c in every), sum(c.memory for c in every), sum(c.wakes for c in every))


def idle(installation: str, seconds: float) -> dict[str, float]:
    """Measured and printed; the figures that `bench alive` gives on."""
    before = price()
    ours, others, engine = measure(installation, seconds)
    after, platform = price(), total(ours)
    print(f"idle for {seconds:g} s, percent of one core")
    table("the platform", ours)
    if others:
        table("apps and devices (apart)", others)
    print(f"  {'Docker itself (apart)':<26} {engine:8.2f}", flush=True)
    for when, cost in (("before", before), ("after", after)):
        print(f"  {when}: a fixed piece of work takes {cost.in_a_row:.0f} us in a row, {cost.woken:.0f} us where it is woken for")
    return {"idle_cpu_percent": platform.cpu, "idle_memory_mb": platform.memory, "idle_wakes_per_s": platform.wakes,
            "wake_us": (before.woken + after.woken) / 2}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="berth bench idle", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--name", default="berth")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    tell("idle", idle(asked.name, asked.seconds), asked.json)


if __name__ == "__main__":
    main()
