"""What a story may do, in either world: the verbs of a person, a device and of bad luck."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def ok(self, status: int) -> Any:
        """The JSON of an answer that must have this status."""
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:2000]!r}"
        return json.loads(self.body) if self.body else None


class World(Protocol):
    """MemoryWorld has all subsystems in this process on twins; RealWorld is an installation in containers."""

    name: str

    def login(self, role: str) -> str:
        """A person of this role; their token."""

    def workspace(self, role: str) -> str:
        """Their personal workspace."""

    def ask(
        self, method: str, path: str, token: str = "", json: Any = None, body: bytes | None = None, trace: str = "", kind: str = ""
    ) -> Answer:
        """A request to the API; `path` is below /api/v1, `trace` the correlation id, `kind` the body's content type."""

    def visit(self, link: str, path: str = "") -> Answer:
        """GET of an app's link, as a browser does it."""

    def until(self, look: Callable[[], T | None], seconds: float, what: str) -> T:
        """What `look` gives as soon as it is neither None nor False; fails when it takes longer. Time passes meanwhile."""

    def instances(self, deployment: str) -> list[str]:
        """The ids of its running instances."""

    def kill_instance(self, instance: str) -> None:
        """SIGKILL of its main process."""

    def stand_still_instance(self, instance: str) -> None:
        """SIGSTOP of its processes: it is there, and does nothing."""

    def stand_still(self, part: str) -> None:
        """SIGSTOP of the own process of a subsystem (`deployer`, `node_manager.api`) that has one replica."""

    def kill_leader(self) -> None:
        """kill -9 of the monitor that leads."""

    def without(self, service: str) -> AbstractContextManager[None]:
        """The backing service (`kafka`) is stopped inside, and started again at the end."""

    def let_pass(self, seconds: float) -> None:
        """Time passes: for what is defined by its length, never to wait for something."""

    def seconds(self) -> float:
        """A clock of which differences mean something."""

    def die_between(self, subsystem: str, act: Callable[[], object], stored: Callable[[], bool]) -> None:
        """Does `act`; once `stored`, the subsystem dies by kill -9 before it could send what it has to say."""

    def lines_about(self, text: str) -> set[str]:
        """Which subsystems' lines hold this text, as the logger kept them (in one process: their messages)."""

    def sources(self, trace: str) -> set[str]:
        """Which parts' lines carry this correlation id."""


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """All of 1980, so that the same files are the same bytes whenever they are zipped."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def sample(name: str = "comfort", **replace: str | bytes) -> dict[str, str | bytes]:
    """The files of an example, with some replaced ("app.py" as `app_py=…` is not needed: pass a mapping to zipped)."""
    folder = EXAMPLES / name
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and "__pycache__" not in p.parts}
    return {**found, **replace}
