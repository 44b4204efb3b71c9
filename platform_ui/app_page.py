"""What an app's pages and their news gather beside the deployments themselves: instances, figures, the lines beside a failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backbone.clock import text_of
from contracts.errors import BerthError
from platform_ui import running
from platform_ui.asking import Api, Part, hidden, tried
from platform_ui.charted import Span
from platform_ui.overview import found

BESIDE = 14
LOOKED_AT = 200
BEFORE_BUILT = ("ASKED", "BUILDING")


@dataclass(frozen=True)
class AppPage:
    api: Api

    def rows(self, deployment: str) -> Part:
        """Instances with what is known of their figures."""
        told = tried(self.api.get, "instances", deployment=deployment, limit=LOOKED_AT)
        if told.away:
            return Part([], told.away)
        figures = hidden(self.api.get, "figures", deployment=deployment, empty={"items": []})
        return Part(running.rows(told.value["items"], figures["items"]))

    def charts(self, some: Sequence[Mapping[str, Any]], span: Span, now: datetime) -> Part:
        since = text_of(now - timedelta(seconds=span.seconds))

        def asked() -> dict[str, Any]:
            return {
                r["id"]: (found(self.api.get, "instances", r["id"], "figures", since=since, step=f"{span.step}s") or {"items": []})["items"]
                for r in running.drawn(some)
            }

        told = tried(asked, empty={})
        return Part(running.charts(some, told.value, span, now), told.away)

    def beside(self, d: Mapping[str, Any]) -> Part:
        """The last lines of what failed, oldest first: of the build where it came no further, else of the instance that spoke last.

        None where nothing of it was started, so that there is nothing to be said.
        """
        number = d["wanted"]["generation"]
        reached = [s["state"] for s in d["steps"] if s["generation"] == number and s["state"] != "FAILED"]
        if not reached or reached[-1] in BEFORE_BUILT:
            return self._build(d)
        if reached[-1] == "BINDING":
            return Part(None)
        told = tried(self.api.get, "lines", workspace=d["workspace"], deployment=d["id"], kind="app", limit=LOOKED_AT)
        if told.away:
            kept = [x for x in d["wanted"]["log"].splitlines() if x.strip()][-BESIDE:]
            return Part([{"time": "", "level": "", "from": "", "text": x} for x in kept], "" if kept else told.away)
        mine = [_line(one) for one in told.value["items"] if one["generation"] == number]
        return Part([one for one in mine if one["from"] == mine[0]["from"]][:BESIDE][::-1])

    def _build(self, d: Mapping[str, Any]) -> Part:
        """As the deployer keeps it, which is there before the logger has it."""
        try:
            text = self.api.text("builds", d["release"]["id"], "log")
        except BerthError as error:
            return Part([], error.detail)
        lines = [one for one in text.splitlines() if one.strip()]
        return Part([{"time": "", "level": "", "from": "build", "text": one} for one in lines[-BESIDE:]])


def _line(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "time": told["time"],
        "level": {"warning": "warn", "error": "error", "critical": "error"}.get(told["level"], ""),
        "from": running.name_of({"service": told["service"], "id": told["instance"]}),
        "text": told["text"],
    }
