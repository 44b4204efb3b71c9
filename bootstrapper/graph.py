"""Runs a graph of idempotent steps: each as soon as what it needs is done, a few heavy ones at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Now = Callable[[], float]


@dataclass(frozen=True)
class Step:
    """`run` does nothing where its work stands already; `heavy` ones share the cores."""

    name: str
    run: Callable[[], None]
    needs: Sequence[str] = ()
    heavy: bool = False


@dataclass(frozen=True)
class Outcome:
    """How one step went: seconds from the graph's start to its own, how long it took, what stopped it."""

    name: str
    started: float
    seconds: float
    error: BaseException | None = None


Told = Callable[[str, Outcome | None], None]


def check(steps: Sequence[Step]) -> None:
    """Names are unique, every need exists, nothing goes round."""
    names = [s.name for s in steps]
    if doubled := {n for n in names if names.count(n) > 1}:
        raise ValueError(f"steps named twice: {sorted(doubled)}")
    for step in steps:
        if missing := set(step.needs) - set(names):
            raise ValueError(f"step {step.name} needs {sorted(missing)}, which no step does")
    done: set[str] = set()
    left = list(steps)
    while left:
        free = [s for s in left if done.issuperset(s.needs)]
        if not free:
            raise ValueError(f"steps need each other in a circle: {[s.name for s in left]}")
        done.update(s.name for s in free)
        left = [s for s in left if s not in free]


def by_what_waits(steps: Sequence[Step]) -> list[Step]:
    """Those with the longest chain behind them first: what all wait for must not queue behind what nobody does."""
    behind: dict[str, int] = {}

    def chain(name: str) -> int:
        if name not in behind:
            behind[name] = 1 + max((chain(s.name) for s in steps if name in s.needs), default=0)
        return behind[name]

    return sorted(steps, key=lambda step: -chain(step.name))


def run(steps: Sequence[Step], heavy: int, now: Now, told: Told) -> Mapping[str, Outcome]:
    """Run all; after a failure start nothing more, wait for what runs. Steps not reached are absent from the answer."""
    check(steps)
    began = now()
    waiting = by_what_waits(steps)
    running: dict[str, Step] = {}
    done: dict[str, Outcome] = {}
    change = threading.Condition()

    def one(step: Step) -> None:
        start, error = now(), None
        try:
            step.run()
        except BaseException as caught:
            error = caught
        with change:
            done[step.name] = Outcome(step.name, start - began, now() - start, error)
            del running[step.name]
            told(step.name, done[step.name])
            change.notify()

    def free(step: Step) -> bool:
        busy = sum(1 for s in running.values() if s.heavy)
        return all(n in done for n in step.needs) and not (step.heavy and busy >= heavy)

    with change:
        while True:
            failed = any(o.error for o in done.values())
            while not failed and (step := next((s for s in waiting if free(s)), None)):
                waiting.remove(step)
                running[step.name] = step
                told(step.name, None)
                threading.Thread(target=one, args=(step,), name=step.name, daemon=True).start()
            if not running:
                return done
            change.wait()
