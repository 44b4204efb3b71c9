"""Quantiles, tables and the one JSON line: how every benchmark tells what it saw."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence

GOALS: dict[str, float] = {
    "zip_to_200_warm_s_p95": 5.0,
    "code_change_to_200_s_p95": 3.0,
    "crash_to_healthy_s_p99": 1.5,
    "up_cold_s": 120.0,
    "demo_cold_s": 150.0,
    "up_warm_s": 15.0,
    "subsystem_s_p99": 5.0,
    "subsystem_hang_s_p99": 8.0,
    "hang_s_p99": 5.0,
    "leader_s_p99": 5.0,
    "false_respawns": 0.0,
    "visible_ms_p99": 1000.0,
    "idle_cpu_percent": 10.0,
}


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed (nearest rank): never better than what was seen."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def spread(values: Sequence[float]) -> str:
    p50, p95, p99 = (quantile(values, q) for q in (0.5, 0.95, 0.99))
    return f"n {len(values)}  min {min(values):.2f}  p50 {p50:.2f}  p95 {p95:.2f}  p99 {p99:.2f}  max {max(values):.2f}"


def machine() -> dict[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    load = [round(one, 2) for one in os.getloadavg()]
    return {"cpus": os.cpu_count(), "memory_gib": round(memory / 2**30, 1), "kernel": platform.release(), "load": load}


def tell(name: str, figures: Mapping[str, float], as_json: bool) -> None:
    width = max(len(figure) for figure in figures)
    for figure, value in figures.items():
        goal = GOALS.get(figure)
        beside = "" if goal is None else f"   goal {goal:g}: {'met' if value <= goal else 'MISSED'}"
        print(f"{figure:<{width}}  {value:10.3f}{beside}", flush=True)
    if as_json:
        print(json.dumps({"bench": name, "figures": dict(figures), "machine": machine()}), flush=True)
