"""Runs an app's own code inside this process: what an instance of the memory twin does instead of a container."""

from __future__ import annotations

import importlib.util
import io
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from backbone.containers import Machine, ServiceSpec
from backbone.containers.printed import Spoken


@dataclass(frozen=True)
class Start:
    """What an instance is started with; `secrets` are the files of /run/secrets. `image` holds path -> content below the root."""

    image: Mapping[str, bytes]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: Mapping[str, bytes]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Ended(Exception):
    """The code ended instead of serving: `reason` as an agent would read it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Enter = Callable[[Start], AbstractContextManager[Any]]


def nothing(_: Start) -> AbstractContextManager[Any]:
    return nullcontext()


class App:
    """`python FILE` of the image, as a module of its own; `enter` puts the SDK's transport in place while its code runs.

    `say` is called with each line that it prints.
    """

    def __init__(self, start: Start, enter: Enter = nothing) -> None:
        self._start, self._enter = start, enter
        self._folder = tempfile.TemporaryDirectory(prefix="berth-twin-")
        self._module: Any = None
        self.say: Callable[[str], None] = lambda line: None

    def begin(self) -> None:
        """Ended when the file is not there, or its import fails."""
        root = Path(self._folder.name)
        for name, content in self._start.image.items():
            if name.startswith("app/"):
                path = root / name.removeprefix("app/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        script = next((word for word in self._start.command[1:] if word.endswith(".py")), "")
        if not script or not (root / script).is_file():
            self.say(f"python: can't open file '/app/{script}': No such file or directory")
            raise Ended("exit code 2")
        with self._enter(self._start), _imports_from(root), self._heard():
            spec = importlib.util.spec_from_file_location("app", root / script)
            assert spec and spec.loader
            module = importlib.util.module_from_spec(spec)
            sys.modules["app"] = module
            try:
                spec.loader.exec_module(module)
            except SystemExit as error:
                raise Ended(f"exit code {error.code or 0}") from None
            except Exception as error:
                sys.stdout.write(f"{type(error).__name__}: {error}\n")
                raise Ended("exit code 1") from None
        self._module = module

    def respond(self, method: str, path: str) -> Answer:
        with self._enter(self._start), self._heard():
            status, headers, body = self._module.respond(method, path)
        return Answer(status, dict(headers), body.encode() if isinstance(body, str) else bytes(body))

    def end(self) -> None:
        self._folder.cleanup()

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """What is printed meanwhile is the instance's."""
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                yield
        finally:
            for line in printed.getvalue().splitlines():
                self.say(line)


@dataclass
class Instance:
    """A task with its container. `ended` is when it ended; its successor comes `PAUSE` later, as Swarm's does.

    `burns` (cores) and `holds` (bytes) are what it takes of its node."""

    id: str
    spec: ServiceSpec
    node: Machine
    port: int
    app: App
    started: datetime
    ended: datetime | None = None
    code: int = 0
    reason: str = ""
    hung: bool = False
    burns: float = 0.02
    holds: int = 24 << 20
    printed: list[Spoken] = field(default_factory=list)
    gone: int = 0

    @property
    def lines(self) -> list[str]:
        return [spoken.text for spoken in self.printed]

    @property
    def address(self) -> str:
        return f"{self.node.address}:{self.port}" if self.spec.port and not self.ended else ""


@contextmanager
def _imports_from(root: Path) -> Iterator[None]:
    """The app's own modules come from its folder, and are no other instance's afterwards."""
    before = dict(sys.modules)
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", "") or "").startswith(str(root)):
                del sys.modules[name]
        if "app" in before:
            sys.modules["app"] = before["app"]
        else:
            sys.modules.pop("app", None)
        importlib.invalidate_caches()
