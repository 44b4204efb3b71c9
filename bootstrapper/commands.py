"""The verbs, as plain functions that give an exit code; the command line wires them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backbone.clock import SystemClock
from backbone.settings import Settings
from bootstrapper import graph, host
from bootstrapper.given import given
from bootstrapper.installation import Installation, check_name, known
from bootstrapper.progress import Progress, lines_of
from bootstrapper.shell import Failed
from bootstrapper.steps import all_steps
from bootstrapper.work import open_work


def root() -> Path:
    return Path(Settings.from_environment().text("BERTH_HOME", "/var/lib/berth"))


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """One `up` or `down` at a time for an installation; the lock dies with us and is not inherited."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def settle(name: str, base_port: int | None, expose: bool | None) -> Installation:
    """The installation as it is, with what was asked for now; its address stays that of the first time."""
    check_name(name)
    before = known(root(), name)
    if before and base_port and base_port != before.base_port:
        raise Failed(f"{name} stands on base port {before.base_port}; it cannot move to {base_port}.", "choose another --name")
    base = base_port or (before.base_port if before else 8000)
    address = before.address if before else host.address()
    exposed = expose if expose is not None else bool(before and before.exposed)
    installation = Installation(name, base, root() / name, address, exposed)
    installation.keep()
    return installation


def up(name: str = "berth", base_port: int | None = None, quiet: bool = False, expose: bool | None = None) -> int:
    """Bring the installation up; 0 only where all of it answers."""
    progress = Progress(quiet)
    if os.geteuid() != 0:
        progress.console.print("`berth up` starts containers and keeps secrets: run it as root.")
        return 2
    clock = SystemClock()
    try:
        with alone(root() / name):
            installation = settle(name, base_port, expose)
            work = open_work(installation, dict(given(installation)), progress.say)
            work.prepared.folder.mkdir(parents=True, exist_ok=True)
            with progress:
                done = graph.run(all_steps(work), (os.cpu_count() or 2) + 1, clock.monotonic, progress.told)
    except Failed as failed:
        progress.console.print(f"{failed.cause}\n  next: {failed.mend or './berth doctor'}", markup=False)
        return 1
    bad = [o for o in done.values() if o.error]
    for outcome in bad:
        for line in lines_of(outcome):
            progress.console.print(line, markup=False)
    return 1 if bad else 0
