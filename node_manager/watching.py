"""One instance under watch: when it is asked next, and what its answers make of it. Pure; seconds are the caller's clock."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.messages.deployment import Probe
from contracts.states import InstanceState

EAGER, STARTING, STEADY = 0.1, 0.2, 0.75
"""Seconds between probes: in the first moments, until healthy, afterwards."""
EAGER_FOR = 2.0
PATIENCE = 0.8
"""Seconds an instance has for its answer."""
FAILURES = 3
MERCY = 5.0
"""Seconds between saying that an instance never became healthy and its end, so that its last lines can be read."""
PROOF = 0.5
"""Seconds a service without port must run to count as healthy."""


@dataclass(frozen=True)
class Watch:
    """`since` is when it was first seen to run; `due` when it is asked next; `asked` while an answer is awaited."""

    probe: Probe
    since: float
    due: float
    asked: bool = False
    state: InstanceState = InstanceState.STARTING
    reason: str = ""
    failures: int = 0
    kill_at: float | None = None

    @property
    def silent(self) -> bool:
        """Nothing to ask: it is healthy by running."""
        return not (self.probe.path or self.probe.tcp)


def begin(probe: Probe, now: float) -> Watch:
    return Watch(probe, since=now, due=now)


def ask(watch: Watch) -> Watch:
    return replace(watch, asked=True)


def proven(watch: Watch, now: float) -> Watch:
    """For those that cannot be asked."""
    if watch.state == InstanceState.STARTING and now - watch.since >= PROOF:
        return replace(watch, state=InstanceState.HEALTHY, due=now + STEADY)
    return replace(watch, due=now + (EAGER if watch.state == InstanceState.STARTING else STEADY))


def answered(watch: Watch, problem: str, started: float, now: float) -> Watch:
    """`problem` is "" for a good answer; `started` when it was asked."""
    watch = replace(watch, asked=False, due=max(now, started + _pause(watch, now)))
    if not problem:
        if watch.state == InstanceState.STARTING:
            return replace(watch, state=InstanceState.HEALTHY, reason="", failures=0, due=now + STEADY)
        return replace(watch, failures=0)
    if watch.state == InstanceState.HEALTHY:
        return _failed(watch, problem, now)
    late = watch.state == InstanceState.STARTING and now - watch.since >= watch.probe.within
    if late:
        reason = f"not healthy within {watch.probe.within:g} s: {problem}"
        return replace(watch, state=InstanceState.UNHEALTHY, reason=reason, kill_at=now + MERCY)
    return replace(watch, reason=problem) if watch.state == InstanceState.STARTING else watch


def _failed(watch: Watch, problem: str, now: float) -> Watch:
    failures = watch.failures + 1
    if failures < FAILURES:
        return replace(watch, failures=failures)
    reason = f"hung: {failures} probes in a row failed, the last: {problem}"
    return replace(watch, failures=failures, state=InstanceState.UNHEALTHY, reason=reason, kill_at=now)


def _pause(watch: Watch, now: float) -> float:
    if watch.state != InstanceState.STARTING:
        return STEADY
    return EAGER if now - watch.since < EAGER_FOR else STARTING


def spared(watch: Watch, now: float) -> Watch:
    """It was killed just now; should it still be there later, once more."""
    return replace(watch, kill_at=now + MERCY)
