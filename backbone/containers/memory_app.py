"""Runs an app's own code inside this process: what an instance of the memory twin does instead of a container."""

from __future__ import annotations

import importlib.util
import io
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    """The code ended instead of serving: `reason` as an agent would read it, `lines` as it would print them."""

    def __init__(self, reason: str, lines: list[str]) -> None:
        super().__init__(reason)
        self.reason, self.lines = reason, lines


Enter = Callable[[Start], AbstractContextManager[Any]]


def nothing(_: Start) -> AbstractContextManager[Any]:
    return nullcontext()


class App:
    """`python FILE` of the image, as a module of its own; `enter` puts the SDK's transport in place while its code runs."""

    def __init__(self, start: Start, enter: Enter = nothing) -> None:
        self._start, self._enter = start, enter
        self._folder = tempfile.TemporaryDirectory(prefix="berth-twin-")
        self._module: Any = None

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
            raise Ended("exit code 2", [f"python: can't open file '/app/{script}': No such file or directory"])
        with self._enter(self._start), _imports_from(root):
            spec = importlib.util.spec_from_file_location("app", root / script)
            assert spec and spec.loader
            module = importlib.util.module_from_spec(spec)
            sys.modules["app"] = module
            printed = io.StringIO()
            try:
                with redirect_stdout(printed):
                    spec.loader.exec_module(module)
            except SystemExit as error:
                raise Ended(f"exit code {error.code or 0}", printed.getvalue().splitlines()) from None
            except Exception as error:
                lines = [*printed.getvalue().splitlines(), f"{type(error).__name__}: {error}"]
                raise Ended("exit code 1", lines) from None
        self._module = module

    def respond(self, method: str, path: str) -> Answer:
        with self._enter(self._start):
            status, headers, body = self._module.respond(method, path)
        return Answer(status, dict(headers), body.encode() if isinstance(body, str) else bytes(body))

    def end(self) -> None:
        self._folder.cleanup()


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
