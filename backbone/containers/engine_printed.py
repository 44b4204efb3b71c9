"""Which containers of this node print, and where Docker writes it down, seen through the host's files."""

from __future__ import annotations

from collections.abc import Mapping

import docker  # type: ignore[import-untyped]  # its stubs lag behind it

from backbone.containers.engine_connection import Connection, by_labels, told
from backbone.containers.engine_files import FileTail
from backbone.containers.printed import Mark, Printer, Tail


class EnginePrinted:
    """`root` is where the host's / is seen ("" where this is the host)."""

    def __init__(self, connection: Connection, root: str) -> None:
        self._c, self._root = connection, root

    def printers(self, labels: Mapping[str, str]) -> list[Printer]:
        with told("listing containers"):
            found = self._c.api.containers(all=True, filters=by_labels(labels))
        return [
            Printer(
                id=f["Id"],
                name=(f.get("Names") or [f["Id"]])[0].lstrip("/"),
                labels=f["Labels"],
                task=f["Labels"].get("com.docker.swarm.task.id", ""),
                ended=f["State"] in ("exited", "dead"),
            )
            for f in found
            if f["State"] != "created"
        ]

    def follow(self, printer: Printer, mark: Mark | None) -> Tail | None:
        with told(f"looking at {printer.name}"):
            try:
                path = self._c.api.inspect_container(printer.id).get("LogPath", "")
            except docker.errors.NotFound:
                return None
        try:
            return FileTail(f"{self._root}{path}", mark) if path else None
        except FileNotFoundError:
            return None
