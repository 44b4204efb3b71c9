"""Docker's part in what containers print: log files in a folder, written and rotated as its json-file driver does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backbone.containers.engine_files import FileTail
from backbone.containers.printed import Mark, Printer

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


class Docker:
    """Writes as the json-file driver does, and rotates as it does: by renaming, the oldest of `files` is gone."""

    def __init__(self, folder: Path, files: int = 5) -> None:
        self.path, self.files, self.said = folder / "c-json.log", files, 0
        self.path.touch()

    def say(self, *texts: str, stream: str = "stdout", end: str = "\n") -> None:
        with self.path.open("a") as file:
            for text in texts:
                moment = (START + timedelta(seconds=self.said)).strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{self.said % 1000:03}Z"
                self.said += 1
                file.write(json.dumps({"log": text + end, "stream": stream, "time": moment}, separators=(",", ":")) + "\n")

    def rotate(self) -> None:
        for n in range(self.files - 1, 1, -1):
            if self.at(n - 1).exists():
                self.at(n - 1).rename(self.at(n))
        self.path.rename(self.at(1))
        self.path.touch()

    def at(self, n: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{n}")

    def remove(self) -> None:
        for path in (self.path, *(self.at(n) for n in range(1, self.files))):
            path.unlink(missing_ok=True)


class FolderPrinted:
    """Containers by name, each with its files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._there: dict[str, tuple[Printer, Docker]] = {}

    def container(self, id: str, labels: Mapping[str, str]) -> Docker:
        folder = self._folder / id
        folder.mkdir()
        docker = Docker(folder)
        self._there[id] = (Printer(id, f"name-{id}", labels, f"task-{id}"), docker)
        return docker

    def end(self, id: str) -> None:
        printer, docker = self._there[id]
        self._there[id] = (replace(printer, ended=True), docker)

    def remove(self, id: str) -> None:
        self._there.pop(id)[1].remove()

    def printers(self, labels: Mapping[str, str]) -> list[Printer]:
        return [printer for printer, _ in self._there.values()]

    def follow(self, printer: Printer, mark: Mark | None) -> FileTail | None:
        try:
            return FileTail(str(self._folder / printer.id / "c-json.log"), mark)
        except FileNotFoundError:
            return None
