"""Puts all verbs together."""

from __future__ import annotations

import typer

from cli import deploy, deployments, local, login, parts, push, releases, sensors, start
from cli.devices import devices
from cli.incidents import backing, incidents
from cli.kinds import kinds
from cli.subsystems import subsystems

VERBS = (
    login.login, login.logout, login.whoami, login.workspaces,
    start.init, push.push, deploy.deploy,
    deployments.ps, deployments.stop, deployments.destroy, deployments.instances,
    releases.apps, releases.releases, releases.log,
    sensors.places, sensors.sensors, sensors.readings,
    parts.runtimes, parts.nodes, backing,
)  # fmt: skip

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Berth: a zip becomes a healthy, sensor-fed app behind one link.",
)
local.add(app)
for verb in VERBS:
    app.command()(verb)
app.command("open")(deployments.open_)
for name, group in (("devices", devices), ("incidents", incidents), ("kinds", kinds), ("subsystems", subsystems)):
    app.add_typer(group, name=name)
