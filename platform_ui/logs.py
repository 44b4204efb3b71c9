"""What of the lines is shown: the filters that the address holds, their chips, one line as a row, the histogram. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from platform_ui.icons import Markup, escape
from platform_ui.model import moment

FIELDS = ("kind", "app", "deployment", "release", "service", "instance", "node", "workspace", "correlation")
NAMES = {"correlation": "correlation id"}
KINDS = {"subsystem": "subsystems", "app": "apps", "build": "builds", "backing": "backing services"}
LEVELS = {"": "All levels", "info": "info and worse", "warning": "warn and worse", "error": "error and worse"}
WORDS = {"warning": "warn", "critical": "crit"}
TONES = {"warning": "warn", "error": "error", "critical": "error", "debug": "debug"}
RANGES = {"15m": "last 15 minutes", "1h": "last hour", "6h": "last 6 hours", "1d": "last day", "7d": "last 7 days"}
SPANS = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "6h": timedelta(hours=6), "1d": timedelta(days=1), "7d": timedelta(days=7)}
ORDERS = ("tail", "newest", "oldest")
ID = re.compile(r"[0-9a-f]{32}")
FACTS, LONG = 8, 120
STEPS = 120


@dataclass(frozen=True)
class Chip:
    """`href` is where one goes to be rid of the filter."""

    name: str
    value: str
    href: str


@dataclass(frozen=True)
class Filters:
    """`range` counts back from now and is not used where `since` or `until` say a time. `order`: tail is live."""

    where: Mapping[str, str] = field(default_factory=dict)
    level: str = ""
    text: str = ""
    range: str = "1h"
    since: str = ""
    until: str = ""
    order: str = "tail"

    @property
    def timed(self) -> bool:
        return bool(self.since or self.until)

    @property
    def live(self) -> bool:
        return self.order == "tail"

    def asked(self, now: datetime) -> dict[str, str]:
        """What the API is asked, a relative range as a time."""
        span = {"since": self.since, "until": self.until} if self.timed else {"since": _text(now - SPANS[self.range])}
        return {**self.lasting, **span}

    @property
    def lasting(self) -> dict[str, str]:
        """What counts for lines to come as well."""
        return {k: v for k, v in {**self.where, "level": self.level, "text": self.text}.items() if v}

    @property
    def query(self) -> dict[str, str]:
        """As the address holds it; what is usual is left out."""
        span = {"since": self.since, "until": self.until} if self.timed else {"range": "" if self.range == "1h" else self.range}
        order = "" if self.order == ("oldest" if self.timed else "tail") else self.order
        found = {**self.lasting, **span, "order": order}
        return {k: found[k] for k in (*FIELDS, "level", "text", "range", "since", "until", "order") if found.get(k)}

    def href(self, path: str = "/logs", **more: str) -> str:
        query = {**self.query, **more}
        return path + (f"?{urlencode(query)}" if query else "")

    def without(self, name: str) -> Filters:
        if name in ("since", "until"):
            since, until = ("" if name == "since" else self.since), ("" if name == "until" else self.until)
            return replace(self, since=since, until=until, order=self.order if since or until else "tail")
        if name == "text":
            return replace(self, text="")
        return replace(self, where={k: v for k, v in self.where.items() if k != name})

    @property
    def chips(self) -> list[Chip]:
        named = [(k, KINDS.get(v, v) if k == "kind" else v) for k, v in self.where.items()] + ([("text", self.text)] if self.text else [])
        return [Chip(NAMES.get(k, k), v, self.without(k).href()) for k, v in named]


def read(given: Mapping[str, str]) -> Filters:
    """From an address. What is not known of is left out; a time of its own has an end, so it is no tail."""
    where = {k: given[k].strip() for k in FIELDS if given.get(k, "").strip()}
    level, span = given.get("level", ""), given.get("range", "")
    since, until = given.get("since", "").strip(), given.get("until", "").strip()
    usual = "oldest" if since or until else "tail"
    order = given.get("order", "")
    order = order if order in ORDERS and not (order == "tail" and (since or until)) else usual
    return Filters(
        where, level if level in LEVELS or level in ("debug", "critical") else "", given.get("text", "").strip(),
        span if span in RANGES else "1h", since, until, order,
    )  # fmt: skip


def searched(filters: Filters, written: str) -> Filters:
    """With what was written into the search: `field=value`, a correlation id, anything else is text."""
    where, text = dict(filters.where), []
    for word in written.split():
        name, equals, value = word.partition("=")
        if equals and name in FIELDS and value:
            where[name] = value
        elif ID.fullmatch(word):
            where["correlation"] = word
        else:
            text.append(word)
    return replace(filters, where=where, text=" ".join(text))


def row(line: Mapping[str, Any], text: str = "") -> dict[str, Any]:
    """A line as its row says it; `text` is what was searched and is marked."""
    told = {k: v for k, v in (line.get("facts") or {}).items() if v not in (None, "")}
    facts = [(k, marked(_short(v), text)) for k, v in told.items()][:FACTS]
    return {
        "id": line["id"], "time": line["time"], "clock": moment(line["time"]).strftime("%H:%M:%S.%f")[:12],
        "tone": TONES.get(line["level"], ""), "level": WORDS.get(line["level"], line["level"]), "source": source(line),
        "text": marked(head(line), text), "facts": facts, "line": dict(line),
    }  # fmt: skip


def head(line: Mapping[str, Any]) -> str:
    """What a line says before its facts: where its text repeats them, they are shown once."""
    text = str(line["text"])
    places = [at for k in line.get("facts") or {} if (at := text.find(f" {k}=")) > 0]
    return text[: min(places)] if places else text


def source(line: Mapping[str, Any]) -> str:
    if line["kind"] == "app":
        return f"{line['app']} {line['service']}".strip()
    if line["kind"] == "build":
        return f"build {line['app']}".strip()
    return str(line["service"] or line["instance"]).replace(".", " ")


def marked(text: str, wanted: str) -> Markup:
    if not wanted:
        return escape(text)
    pieces = re.split(f"({re.escape(wanted)})", text, flags=re.IGNORECASE)
    return Markup("").join(Markup("<mark>{}</mark>").format(p) if n % 2 else escape(p) for n, p in enumerate(pieces))


def histogram(told: Mapping[str, Any], filters: Filters, now: datetime) -> dict[str, Any]:
    """Bars by level, stacked with the worst at the bottom. A step without lines is nought."""
    step, items = float(told["step"]), {round(moment(i["time"]).timestamp(), 3): i for i in told["items"]}
    asked = filters.asked(now)
    end = moment(asked["until"]).timestamp() if asked.get("until") else now.timestamp()
    begin = moment(asked["since"]).timestamp() if asked.get("since") else end - 3600
    first = min(items, default=begin // step * step)
    first -= max(0, int((first - begin) / step)) * step
    times = [round(first + n * step, 3) for n in range(min(STEPS + 2, int((end - first) / step) + 1))]
    levels = (("debug", "info"), ("warning",), ("error", "critical"))
    shares = [[_count(items.get(t), *some) for some in levels] for t in times]
    info, warn, bad = (list(some) for some in zip(*shares, strict=True)) if shares else ([], [], [])
    stacked = ([sum(s) for s in shares], [s[1] + s[2] for s in shares], bad)
    series = [
        {"label": label, "c": colour, "bars": True, "data": data, "raw": raw}
        for label, colour, data, raw in zip(
            ("info", "warn", "error"), ("--b-quiet", "--b-warn-2", "--b-bad"), stacked, (info, warn, bad), strict=True
        )
    ]
    return {"x": [t + step / 2 for t in times], "series": series, "h": 92, "left": 44, "max": max([4, *stacked[0]]) * 1.12}


def total(told: Mapping[str, Any]) -> int:
    return sum(_count(item, "debug", "info", "warning", "error", "critical") for item in told["items"])


def grouped(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")


def said(told: Mapping[str, Any]) -> str:
    """The histogram in words."""
    bad, warn = (sum(_count(i, *names) for i in told["items"]) for names in (("error", "critical"), ("warning",)))
    return f"{grouped(total(told))} lines over time by level, {warn} of them warnings and {bad} errors"


def plain(lines: Sequence[Mapping[str, Any]]) -> str:
    """To take along: a line each."""
    told = []
    for line in lines:
        facts = " ".join(f"{k}={_short(v, 2000)}" for k, v in (line.get("facts") or {}).items())
        told.append(" ".join(filter(None, (line["time"], line["level"], source(line).replace(" ", "."), head(line), facts))))
    return "\n".join(told) + "\n"


def _count(item: Mapping[str, Any] | None, *levels: str) -> int:
    return sum(int(item.get(level, 0)) for level in levels) if item else 0


def _short(value: Any, most: int = LONG) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
