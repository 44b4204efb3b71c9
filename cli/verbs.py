"""Puts all verbs together."""

from __future__ import annotations

import typer

from cli import again, deploy, deployments, figures, local, login, logs, parts, push, releases, sensors, start
from cli.devices import devices
from cli.incidents import backing, incidents
from cli.kinds import kinds
from cli.subsystems import subsystems

VERBS = {
    "Who you are": (login.login, login.logout, login.whoami, login.workspaces),
    "Apps": (
        start.init, push.push, deploy.deploy, deployments.ps, again.scale, again.rollback, again.start, deployments.stop,
        deployments.destroy, deployments.instances, releases.apps, releases.releases, releases.log, logs.logs, parts.runtimes,
    ),
    "Sensors and devices": (sensors.places, sensors.sensors, sensors.readings),
    "The platform": (parts.nodes, figures.figures, backing, parts.people),
}  # fmt: skip
GROUPS = {
    "Sensors and devices": (("devices", devices), ("kinds", kinds)),
    "The platform": (("subsystems", subsystems), ("incidents", incidents)),
}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Berth: a zip becomes a healthy, sensor-fed app behind one link.",
)
local.add(app)
for panel, verbs in VERBS.items():
    for verb in verbs:
        app.command(rich_help_panel=panel)(verb)
app.command("open", rich_help_panel="Apps")(deployments.open_)
for panel, groups in GROUPS.items():
    for name, group in groups:
        app.add_typer(group, name=name, rich_help_panel=panel)
