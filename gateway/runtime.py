"""HAProxy's runtime socket: one connection per batch of commands, answers taken apart, refusals made errors."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from contracts.errors import Unavailable
from gateway.slots import DRAIN, FREE, READY, Slot

ADMIN_DRAIN, ADMIN_MAINT = 0x08 | 0x10, 0x01 | 0x02 | 0x20  # 0x04 only remembers that the file said "disabled"
PATIENCE = 5.0
NOTHING_SAID = ("IP changed", "no need to change", "port changed")


class Runtime:
    """`path` is the admin socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, command: str) -> str:
        """One command's answer. Unavailable: HAProxy is away."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(PATIENCE)
                s.connect(str(self._path))
                s.sendall(command.encode() + b"\n")
                return b"".join(iter(lambda: s.recv(65536), b"")).decode()
        except OSError as error:
            raise Unavailable(f"HAProxy does not answer at {self._path}: {error}; is its container running?") from error

    def tell(self, commands: Sequence[str]) -> None:
        """All in order, on one connection. Unavailable with HAProxy's words where it refuses one."""
        if not commands:
            return
        answer = self.ask(";".join(commands))
        refused = [line for line in answer.splitlines() if line.strip() and not any(word in line for word in NOTHING_SAID)]
        if refused:
            raise Unavailable(f"HAProxy refused: {'; '.join(refused)[:500]}")

    def process(self) -> str:
        """Changes when HAProxy was started again."""
        facts = dict(line.split(": ", 1) for line in self.ask("show info").splitlines() if ": " in line)
        return f"{facts.get('Pid')}/{facts.get('Start_time_sec') or facts.get('Uptime_sec', '')}"

    def map(self, file: Path) -> dict[str, str]:
        lines = (line.split(" ", 2) for line in self.ask(f"show map {file}").splitlines() if line.startswith("0x"))
        return {key: value for _, key, value in lines}

    def slots(self, *backends: str) -> dict[str, list[Slot]]:
        """Of these backends, or of all: name -> its slots in order. Sessions are counted only where something drains."""
        found: dict[str, list[Slot]] = {}
        for line in self.ask(";".join(f"show servers state {one}".rstrip() for one in backends or ("",))).splitlines():
            if line.startswith("#") or len(f := line.split()) < 19:
                continue
            admin = int(f[6])
            state = FREE if admin & ADMIN_MAINT else DRAIN if admin & ADMIN_DRAIN else READY
            sessions = self._sessions(f[0], f[2]) if state == DRAIN else 0
            found.setdefault(f[1], []).append(Slot(f[3], f"{f[4]}:{f[18]}", int(f[7]), state, sessions))
        return found

    def _sessions(self, backend: str, server: str) -> int:
        lines = self.ask(f"show stat {backend} 4 {server}").splitlines()
        facts = dict(zip(lines[0].lstrip("# ").split(","), lines[1].split(","), strict=False)) if len(lines) > 1 else {}
        return int(facts.get("scur") or 0)
