"""A filter as the condition of a statement: what it says in memory, said in SQL, access included."""

from __future__ import annotations

from typing import Any

from contracts.topics import LINES
from logger.model import Cursor, Filter, Shards
from logger.model_asked import EXACT
from logger.schema import SEARCHED


class Where:
    """Conditions joined by AND, with their values; `text` is "true" where there are none."""

    def __init__(self, filter: Filter) -> None:
        self.values: dict[str, Any] = {}
        self._parts: list[str] = []
        for name, among in (("workspace", filter.workspaces), ("kind", filter.kinds)):
            self._among(name, among)
        for name, value in filter.exact.items():
            assert name in EXACT, name
            self._add(f"{name} = %({name})s", **{name: value})
        if filter.service:
            self._service(filter.service)
        if filter.level:
            self._parts.append(f"level >= {int(filter.level)}")  # in the text, so that the partial index is seen to fit
        if filter.text:
            self._add(f"{SEARCHED} ILIKE %(text)s", text=f"%{_escaped(filter.text)}%")
        if filter.since:
            self._add("time >= %(since)s", since=filter.since)
        if filter.until:
            self._add("time < %(until)s", until=filter.until)

    @property
    def text(self) -> str:
        return " AND ".join(self._parts) or "true"

    def beyond(self, after: Cursor | None, newest: bool) -> Where:
        """The comparison of time alone finds the place in the index; that of the row tells those of one moment apart."""
        if after:
            sign = "<" if newest else ">"
            row = "(time, source, position) {} (%(time)s, %(source)s, %(position)s)"
            self._add(f"time {sign}= %(time)s AND {row.format(sign)}", time=after.time, source=after.source, position=after.position)
        return self

    def between(self, low: Shards, high: Shards | None) -> Where:
        if low or high is not None:
            parts = []
            for shard in range(LINES.partitions):
                upper = "" if high is None else f" AND place < {int(high.get(shard, 0))}"
                parts.append(f"(shard = {shard} AND place >= {int(low.get(shard, 0))}{upper})")
            self._parts.append(f"({' OR '.join(parts)})")
        return self

    def _among(self, name: str, among: tuple[str, ...] | None) -> None:
        """Of one alone the index is in the order of time."""
        if among is None:
            return
        if len(among) == 1:
            self._add(f"{name} = %({name}_is)s", **{f"{name}_is": among[0]})
        else:
            self._add(f"{name} = ANY(%({name}_in)s)", **{f"{name}_in": list(among)})

    def _service(self, service: str) -> None:
        """A name with a dot is a role already."""
        roles = "" if "." in service else " OR (service >= %(roles)s AND service < %(roles_end)s)"
        self._add(f"(service = %(service)s{roles})", service=service, roles=f"{service}.", roles_end=f"{service}/")

    def _add(self, part: str, **values: Any) -> None:
        self._parts.append(part)
        self.values |= values


def _escaped(text: str) -> str:
    for sign in "\\%_":
        text = text.replace(sign, f"\\{sign}")
    return text
