"""The rules that hold a manifest against what is there: the runtimes, the zip's files, the workspace's kinds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from contracts.manifest_found import Given, keys
from contracts.manifest_texts import CommandRule
from contracts.manifest_words import corrected, listed, nearest
from contracts.manifest_yaml import Found, Path
from contracts.manifest_yaml_words import quoted

MOST = 20  # more services are refused by their number
RUNTIMES = ("python", "node", "static")


def against(written: Any, given: Given) -> Iterator[Found]:
    """Every runtime, file and kind that is named and is not there."""
    services = keys(written, "services")
    for name in list(services)[:MOST]:
        service, path = keys(services, name), ("services", name)
        yield from _runtime(service, path, given)
        yield from _files(service, path, given)
    yield from _script(keys(written, "release").get("command"), ("release", "command"), given)
    for noun in ("sensors", "actuators"):
        for name, need in keys(written, noun).items():
            yield from _kind(keys(need).get("kind"), (noun, name, "kind"), given)


def _runtime(service: dict[str, Any], path: Path, given: Given) -> Iterator[Found]:
    here, name = (*path, "runtime"), service.get("runtime")
    if isinstance(name, str) and name not in given.runtimes:
        if name in RUNTIMES:
            yield Found(
                here,
                name,
                f"The runtime {quoted(name)} is not available on this installation yet.",
                f"Choose from: {listed(given.runtimes)}.",
            )
        else:
            meant = nearest(name, given.runtimes)
            yield Found(
                here,
                name,
                f"No runtime is called {quoted(name)}.",
                corrected(here, meant) if meant else f"Choose from: {listed(given.runtimes)}.",
            )


def _files(service: dict[str, Any], path: Path, given: Given) -> Iterator[Found]:
    yield from _script(service.get("command"), (*path, "command"), given)
    name, here = service.get("packages"), (*path, "packages")
    if (
        given.files is not None
        and isinstance(name, str)
        and name not in given.files
        and not name.startswith(("/", "./"))
    ):
        meant = nearest(name, given.files)
        yield Found(
            here,
            name,
            f"The zip holds no {quoted(name)}.",
            corrected(here, meant) if meant else "Put it into the zip, or remove the line.",
        )


def _script(command: Any, path: Path, given: Given) -> Iterator[Found]:
    """Only a script that is plainly named: python app.py, python -u app.py, python src/app.py --flag."""
    if given.files is None or not isinstance(command, str) or CommandRule().passes(command) is None:
        return
    words = shlex.split(command)
    if not words or words[0] not in ("python", "python3"):
        return
    after = [word for word in words[1:] if word not in ("-u", "-O", "-OO", "-B", "-I", "-s", "-E")]
    if not after or not after[0].endswith(".py") or after[0].startswith(("-", "/")):
        return
    name = str(PurePosixPath(after[0]))
    if name not in given.files:
        meant = nearest(name, [file for file in given.files if file.endswith(".py")])
        plain = meant is not None and shlex.quote(meant) == meant and command.count(after[0]) == 1
        yield Found(
            path,
            command,
            f"The zip holds no {quoted(name)}, which the command starts.",
            corrected(path, command.replace(after[0], str(meant)))
            if plain
            else "Put it into the zip, or name another.",
        )


def _kind(kind: Any, path: Path, given: Given) -> Iterator[Found]:
    if given.kinds is not None and isinstance(kind, str) and kind not in given.kinds:
        meant = nearest(kind, given.kinds)
        yield Found(
            path,
            kind,
            f"No kind is called {quoted(kind)}.",
            corrected(path, meant)
            if meant
            else f"Tpath are {listed(sorted(given.kinds))}."
            if given.kinds
            else "No kind is known in this workspace yet; add one first.",
        )
