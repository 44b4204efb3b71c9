"""Which platform, as whom: kept in the person's own folder. The only place of the command line that reads the environment."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cli.failure import Failure


def config() -> Path:
    """BERTH_CONFIG, or ~/.config/berth."""
    return Path(os.environ.get("BERTH_CONFIG") or Path.home() / ".config" / "berth")


def home() -> Path:
    """BERTH_HOME, or /var/lib/berth: where installations of this machine lie."""
    return Path(os.environ.get("BERTH_HOME") or "/var/lib/berth")


def has_screen() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) or os.uname().sysname == "Darwin"


@dataclass(frozen=True)
class Context:
    """`ca` is the certificate authority's PEM ("" for the system's); `local` names an installation of this machine that is
    used as its administrator, without a login; without tokens nobody is logged in."""

    url: str
    ca: str = ""
    local: str = ""
    username: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        return f"@{self.local}" if self.local else self.url


class Contexts:
    """contexts.json in a folder of mode 0700, itself 0600, replaced whole. `keep` and `drop` are called inside `locked`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "contexts.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time; the lock ends with the process."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        with os.fdopen(os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600), "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def current(self) -> Context | None:
        return self.get(self._read()["current"])

    def get(self, key: str) -> Context | None:
        found = self._read()["contexts"].get(key)
        return Context(**found) if found else None

    def keep(self, context: Context, current: bool) -> None:
        all_ = self._read()
        all_["contexts"][context.key] = asdict(context)
        self._write(all_ | ({"current": context.key} if current else {}))

    def drop(self, key: str) -> None:
        all_ = self._read()
        all_["contexts"].pop(key, None)
        self._write(all_ | ({"current": ""} if all_["current"] == key else {}))

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text("utf-8"))
            return {"current": str(found["current"]), "contexts": dict(found["contexts"])}
        except FileNotFoundError:
            return {"current": "", "contexts": {}}
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(f"{self._file} cannot be read: {error}.", "Remove it and log in again.") from error

    def _write(self, all_: dict[str, Any]) -> None:
        new = self._folder / f"contexts.{os.getpid()}.new"
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(all_, file, indent=1)
        new.replace(self._file)
