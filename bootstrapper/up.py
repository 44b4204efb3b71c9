"""`up`: the lock, the graph, and at the end either the address or what failed and what mends it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from backbone.clock import SystemClock
from backbone.settings import Settings
from bootstrapper import doctor, graph, host
from bootstrapper.beside import clash, free_base, out_of_range
from bootstrapper.files import locked, once
from bootstrapper.given import given
from bootstrapper.graph import Outcome
from bootstrapper.installation import Installation, all_known, check_name, known
from bootstrapper.progress import Progress
from bootstrapper.shell import Failed
from bootstrapper.steps import all_steps
from bootstrapper.vault import Vault
from bootstrapper.wiring import urls
from bootstrapper.work import Work, open_work

BASE_PORT = 8000


def root() -> Path:
    return Path(Settings.from_environment().text("BERTH_HOME", "/var/lib/berth"))


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """One `up` or `down` at a time for an installation."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    with locked(home / "lock"):
        yield


def find(name: str) -> Installation:
    found = known(root(), name)
    if found is None:
        raise Failed(f"There is no installation {name} on this machine.", f"berth up --name {name}")
    return found


def settle(name: str, base_port: int | None, expose: bool | None) -> Installation:
    """The installation as it is, with what was asked for now; its address stays that of the first time."""
    check_name(name)
    before = known(root(), name)
    if before and base_port and base_port != before.base_port:
        raise Failed(
            f"{name} stands on base port {before.base_port} and cannot move to {base_port}.", "choose another --name"
        )
    base = base_port or (before.base_port if before else BASE_PORT)
    address = before.address if before else host.address()
    exposed = expose if expose is not None else bool(before and before.exposed)
    installation = Installation(name, base, root() / name, address, exposed)
    others = [i for i in all_known(root()) if i.name != name]
    if why := out_of_range(base) or clash(installation, others):
        raise Failed(why, f"berth up --name {name} --port {free_base(others)}, or another --name")
    installation.keep()
    return installation


def bring_up(name: str, base_port: int | None, expose: bool | None, progress: Progress) -> Work:
    """Raises Failed with the first cause; everything that failed was told to `progress`."""
    if os.geteuid() != 0:
        raise Failed("`berth up` starts containers and keeps secrets, which only root may.", "sudo ./berth up")
    check_name(name)
    with alone(root() / name):
        installation = settle(name, base_port, expose)
        work = open_work(installation, given(installation), progress.say)
        doctor.before_up(work.engine, installation)
        work.prepared.folder.mkdir(parents=True, exist_ok=True)
        with progress:
            done = graph.run(all_steps(work), (os.cpu_count() or 2) + 1, SystemClock().monotonic, progress.told)
        _raise(done)
        return work


def _raise(done: Mapping[str, Outcome]) -> None:
    bad = [o for o in done.values() if o.error]
    if not bad:
        return
    texts, mends = [], []
    for outcome in bad:
        error = outcome.error
        known_ = isinstance(error, Failed)
        texts.append(
            f"{outcome.name}: {error.cause if isinstance(error, Failed) else repr(error) + ' (a bug of the bootstrapper)'}"
        )
        mends += [error.mend] if known_ and isinstance(error, Failed) and error.mend else []
    raise Failed("\n".join(texts), mends[0] if mends else "")


def farewell(work: Work) -> list[str]:
    """The address, and at the very first time the administrator's password."""
    public, apps = urls(work.where)
    own = work.installation
    lines = [f"{own.name} is up: {public}", f"apps answer at {apps}; trust {own.home / 'ca.crt'}"]
    if not (own.home / "greeted").exists():
        admin = next(row for row in Vault(own).people() if row[0] == "admin")
        lines.append(f"log in as {admin[0]} with {admin[2]}  (said once; `berth logins --name {own.name}` shows all)")
        once(own.home / "greeted", lambda: "yes\n")
    return lines
