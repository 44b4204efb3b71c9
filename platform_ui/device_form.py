"""The form of a new device. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MOST = 50


@dataclass(frozen=True)
class Row:
    key: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Form:
    name: str = ""
    place: str = ""
    rows: tuple[Row, ...] = field(default=(Row("temperature", "temperature"),))

    def body(self, workspace: str) -> dict[str, Any]:
        """Empty rows are none."""
        sensors = [{"key": r.key or r.kind, "kind": r.kind} for r in self.filled()]
        return {"name": self.name, "place": self.place, "sensors": sensors, "workspace": workspace}

    def filled(self) -> list[Row]:
        return [row for row in self.rows if row.key or row.kind]

    def labels(self) -> dict[str, str]:
        """What each path of a problem is called on the page."""
        rows = range(len(self.rows))
        parts = (("key", "its key"), ("kind", "its kind"))
        named = {f"sensors.{n}.{part}": f"Sensor {n + 1}, {what}" for n in rows for part, what in parts}
        return {"name": "Name", "place": "Place", "sensors": "Sensors", **named}


def read(given: Any) -> Form:
    """From the posted form: keys and kinds in order."""
    pairs = list(zip(given.getlist("key"), given.getlist("kind")))[:MOST]
    rows = tuple(Row(key.strip(), kind.strip()) for key, kind in pairs)
    return Form(given.get("name", "").strip(), given.get("place", "").strip().strip("/"), rows or (Row(),))


LIKELY = {"temperature": 21.4, "humidity": 44, "co2": 618, "light": 320, "power": 120, "load": 0.7}


def example(sensors: Sequence[Any]) -> str:
    """A value that the first sensor's kind would take, as JSON."""
    kind = sensors[0]["kind"] if sensors else ""
    return "true" if kind == "occupancy" else str(LIKELY.get(kind, 12.5))
