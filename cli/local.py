"""The verbs that work on this machine: the bootstrapper's, devices, the tests and the benchmarks. Each is loaded when it is asked for."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from cli import show
from cli.failure import Failure
from cli.options import Json, Yes

Name = Annotated[str, typer.Option("--name", help="The installation's name.")]
Port = Annotated[int | None, typer.Option("--port", help="Its base port; 8000 where it is not said at the first time.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what failed.")]
Expose = Annotated[bool | None, typer.Option("--expose/--no-expose", help="Backing services on loopback too, for tests.")]
Purge = Annotated[bool, typer.Option("--purge", help="Remove its data and secrets too.")]
PASSED = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def up(name: Name = "berth", port: Port = None, expose: Expose = None, quiet: Quiet = False, json: Json = False) -> None:
    """Bring the installation up, or up to date; run again it goes on where it stopped."""
    from bootstrapper import commands

    raise typer.Exit(commands.up(name, port, quiet, expose, json))


def status(name: Name = "berth", json: Json = False) -> None:
    """What of the installation stands and answers."""
    from bootstrapper import commands

    raise typer.Exit(commands.status(name, json))


def down(name: Name = "berth", purge: Purge = False, yes: Yes = False, json: Json = False) -> None:
    """Stop the installation; its data stays unless --purge."""
    from bootstrapper import commands

    if purge and not yes:
        if not sys.stdin.isatty():
            raise Failure(f"Removing {name} with all its data asks first, and there is no terminal.", "Say --yes.", code=2)
        typer.confirm(f"Remove installation {name} with all its data?", abort=True, err=True)
    if not json:
        raise typer.Exit(commands.down(name, purge))
    with redirect_stdout(sys.stderr):
        code = commands.down(name, purge)
    show.json({"installation": name, "purged": purge, "done": code == 0})
    raise typer.Exit(code)


def doctor(name: Name = "berth", json: Json = False) -> None:
    """Look for what is wrong with the machine or the installation, and say what mends it."""
    from bootstrapper import commands

    raise typer.Exit(commands.doctor(name, json))


def logins(name: Name = "berth", json: Json = False) -> None:
    """The people of the first start with their passwords (root only)."""
    from bootstrapper import commands

    raise typer.Exit(commands.logins(name, json))


def demo(name: Name = "berth", port: Port = None, quiet: Quiet = False, json: Json = False) -> None:
    """`up`, then a simulated building, this machine as a device, and a sample app behind a link."""
    from bootstrapper.demo import demo as run

    raise typer.Exit(run(name, port, quiet, json))


def device(context: typer.Context) -> None:
    """Send this machine's cpu, memory, disk and temperature as a device; `berth device --help` says how."""
    from cli.device import main

    raise typer.Exit(main(context.args))


def simulate(context: typer.Context) -> None:
    """Send the readings of a simulated building; `berth simulate --help` says how."""
    from cli.simulate import main

    raise typer.Exit(main(context.args))


def test(context: typer.Context) -> None:
    """Run the tests; all arguments are handed on."""
    from cli.testing import test as run

    raise typer.Exit(run(context.args))


def bench(name: str, context: typer.Context) -> None:
    """Run a benchmark of bench/; all further arguments are handed on."""
    from cli.testing import bench as run

    raise typer.Exit(run(name, context.args))


def add(app: typer.Typer) -> None:
    panel = "This machine"
    for verb in (up, status, down, doctor, logins, demo):
        app.command(rich_help_panel=panel)(verb)
    for passing in (device, simulate, test, bench):
        app.command(context_settings=PASSED, rich_help_panel=panel)(passing)
