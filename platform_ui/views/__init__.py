"""One file per noun; every blueprint is named here."""

from __future__ import annotations

from flask import Blueprint

from platform_ui.views import (
    apps,
    deployments,
    devices,
    home,
    incidents,
    jump,
    lines,
    login,
    nodes,
    people,
    releases,
    subsystems,
    uploads,
    workspaces,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    login.pages,
    home.pages,
    apps.pages,
    uploads.pages,
    releases.pages,
    deployments.pages,
    devices.pages,
    lines.pages,
    subsystems.pages,
    incidents.pages,
    nodes.pages,
    people.pages,
    jump.pages,
    workspaces.pages,
)
