"""The verbs, as plain functions that give an exit code; the command line wires them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bootstrapper import doctor as doctors
from bootstrapper import down as downs
from bootstrapper import host
from bootstrapper import status as standings
from bootstrapper.engine import Engine
from bootstrapper.installation import Installation, all_known, known
from bootstrapper.progress import Progress
from bootstrapper.shell import Failed
from bootstrapper.up import BASE_PORT, alone, bring_up, farewell, find, root
from bootstrapper.vault import Vault
from bootstrapper.wiring import urls

__all__ = ["all_known", "doctor", "down", "logins", "root", "status", "up"]
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def _told(act: Callable[[], int]) -> int:
    """What failed, and the next step, as sentences; 1."""
    try:
        return act()
    except Failed as failed:
        err.print(failed.cause, markup=False)
        err.print(f"next: {failed.mend or './berth doctor'}", markup=False)
        return 1


def up(
    name: str = "berth",
    base_port: int | None = None,
    quiet: bool = False,
    expose: bool | None = None,
    as_json: bool = False,
) -> int:
    """Bring the installation up; 0 only where all of it answers."""

    def act() -> int:
        work = bring_up(name, base_port, expose, Progress(quiet))
        public, apps = urls(work.where)
        lines = farewell(work)
        if as_json:
            print(
                json.dumps(
                    {"installation": name, "url": public, "apps": apps, "ca": str(work.installation.home / "ca.crt")}
                )
            )
        else:
            for line in lines:
                out.print(line, markup=False)
        return 0

    return _told(act)


def down(name: str = "berth", purge: bool = False) -> int:
    def act() -> int:
        engine = Engine()
        installation = find(name)
        with alone(installation.home):
            if engine.lives():
                downs.stop(engine, installation, lambda text: err.print(text, markup=False))
            if purge:
                downs.purge(engine, installation)
        out.print(f"{name} is down" + (" and gone" if purge else "; `berth up` brings it back"), markup=False)
        return 0

    return _told(act)


def status(name: str = "berth", as_json: bool = False) -> int:
    """0 where every part is ok, else 1."""

    def act() -> int:
        standing = standings.look(Engine(), find(name))
        standings.show(standing, out, as_json)
        return 0 if standing.whole else 1

    return _told(act)


def doctor(name: str = "berth", as_json: bool = False) -> int:
    """0 where nothing is wrong with the machine."""
    installation = known(root(), name) or Installation(name, BASE_PORT, root() / name, host.address())
    findings = doctors.examine(Engine(), installation)
    if as_json:
        print(json.dumps([asdict(f) for f in findings]))
    else:
        table = Table("check", "seen", "next", box=None, padding=(0, 2, 0, 0))
        for f in findings:
            table.add_row(
                f"[{'green' if f.good else 'red'}]{'●' if f.good else '■'}[/] {f.what}",
                f.seen,
                "" if f.good else f.mend,
            )
        out.print(table)
    return 0 if all(f.good for f in findings) else 1


def logins(name: str = "berth", as_json: bool = False) -> int:
    """Root alone can read them: the folder of secrets is its own."""

    def act() -> int:
        installation = find(name)
        people = Vault(installation).people()
        if as_json:
            print(json.dumps([{"username": u, "role": r, "password": p} for u, r, p in people]))
            return 0
        table = Table("user", "role", "password at the first start", box=None, padding=(0, 2, 0, 0))
        for row in people:
            table.add_row(*row)
        out.print(table)
        return 0

    return _told(act)
