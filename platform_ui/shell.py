"""The frame around every page: navigation by role, the workspace, and what templates may call."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, g, request

from backbone.clock import text_of
from platform_ui import again, logs, model, running, staff
from platform_ui.icons import Markup, icon
from platform_ui.site import Site
from platform_ui.spark import spark


def fill(app: Flask, site: Site) -> None:
    """Globals and filters; those of fragments work without a request, for live news render them too."""
    env, static = app.jinja_env, site.root / "static"

    def asset(name: str) -> str:
        return f"/static/{name}?v={_version(static / name)}"

    def age(moment: str | None) -> float | None:
        return None if not moment else (site.backbone.clock.now() - datetime.fromisoformat(moment)).total_seconds()

    def since(moment: str | None) -> Markup:
        """An age that goes on counting in the browser."""
        seconds = age(moment)
        if seconds is None:
            return Markup("–")
        return Markup('<time datetime="{}" title="{} UTC" data-age>{}</time>').format(
            moment, _utc(moment), model.ago(seconds)
        )

    def clock(moment: str | None) -> Markup:
        """A moment that the browser shows in its reader's own zone."""
        return Markup('<time datetime="{}" title="{} UTC" data-clock>{}</time>').format(
            moment, _utc(moment), _utc(moment)[11:19]
        ) if moment else Markup("–")

    env.globals.update(
        icon=icon, asset=asset, age=age, since=since, clock=clock, spark=spark, plural=model.plural, took=model.took,
        presence=model.presence, rollout_tone=model.rollout_tone, build_tone=model.build_tone,
        rollout_steps=model.rollout_steps, build_steps=model.build_steps, SERVING=model.SERVING_TONES,
        INSTANCE=model.INSTANCE_TONES, public=site.public, installation=site.backbone.installation,
        authority=bool(site.backbone.settings.text("BERTH_CA", "")),
    )  # fmt: skip
    def when(moment: str | None) -> Markup:
        """A moment of any day; the browser leaves the day out where it is today's."""
        return Markup('<time datetime="{}" title="{} UTC" data-when>{}</time>').format(
            moment, _utc(moment), _utc(moment)
        ) if moment else Markup("–")

    env.globals.update(
        moment=when, incident_steps=staff.steps, part_name=staff.part_name, INCIDENTS=staff.KINDS, BACKING=staff.BACKING,
        BACKING_NAMES=staff.NAMES, grouped=logs.grouped,
    )  # fmt: skip
    env.globals.update(again=again, running=running)
    env.filters.update(capital=model.capital, size=model.size, value=model.value, ago=model.ago, json=_json)

    @app.context_processor
    def frame() -> dict[str, Any]:
        person = g.get("person")
        roles = person.roles if person else ()
        return {
            "person": person,
            "nonce": g.get("nonce", ""),
            "csrf": person.csrf if person else "",
            "places": model.places(roles),
            "bar": model.bar(roles),
            "staff": not model.STAFF.isdisjoint(roles),
            "role": model.role(roles),
            "here": request.path,
            "now": text_of(site.backbone.clock.now()),
            "developer": bool({"developer", "admin"} & set(roles)),
        }


def _utc(moment: str | None) -> str:
    return (moment or "")[:19].replace("T", " ")


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@cache
def _version(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "none"
