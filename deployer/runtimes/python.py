"""Python apps: wheels by pip into a layer of their own, the code on top, both compiled, run by python3 of the base."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
LINE = re.compile(rf"(?P<name>{NAME})\s*(\[[^\]]*\])?\s*(\(?[<>=!~][^;@]*)?(;.*)?")
NO_PACKAGE = re.compile(r"ERROR: No matching distribution found for (\S+)")
NO_VERSION = re.compile(r"ERROR: Could not find a version that satisfies the requirement (.+?) \(from versions: (.*)\)")
NAMED_IN = re.compile(r"\(from ([^)]*)\)$")
CONFLICT = re.compile(r"ERROR: (?:Cannot install|ResolutionImpossible)(.*)")
AWAY = ("connection", "timed out", "temporary failure", "ssl", "max retries", "proxy", "503", "502")


def fetch(name: str) -> tuple[str, ...]:
    return (
        "python3", "-m", "pip", "install", "--target", "/tmp/out", "--only-binary=:all:", "--no-cache-dir", "--no-compile",
        "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--root-user-action", "ignore",
        "-r", f"/tmp/in/{name}",
    )  # fmt: skip


def _lines(text: str) -> list[tuple[int, str]]:
    """Each requirement with its line; hashes and continuations are part of the line they belong to."""
    found: list[tuple[int, str]] = []
    more = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        open_ = line.endswith("\\")
        line = line.rstrip("\\").strip()
        if line and more:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line}")
        elif line:
            found.append((number, line))
        more = open_ and bool(found)
    return found


def refused(text: str, name: str) -> tuple[str, str] | None:
    """Only names with versions: an option, an address or a path could run foreign code while fetching."""
    for number, line in _lines(text):
        plain = re.sub(r"\s--hash=\S+", "", line)
        if not LINE.fullmatch(plain.strip()):
            return (
                f"{plain[:80]!r} is not a package with a version ({name}, line {number}).",
                "Write one package a line, like requests==2.32.3; options, addresses and paths are not taken.",
            )
    return None


def told(lines: Sequence[str], text: str, name: str) -> tuple[str, str]:
    """pip's own words turned into one sentence with the line that is to blame."""
    for line in lines:
        if found := NO_VERSION.search(line):
            wish, versions = found[1], found[2]
            package = _package(wish)
            at = _at(package, text, name)
            asked = NAMED_IN.search(wish)
            if versions.strip() == "none":
                needed = f", which {asked[1]} needs" if asked and not _line_of(package, text) else ""
                return f"No package {package}{needed} ({at}).", "Check how the name is spelt; only packages with wheels are taken."
            newest = versions.split(",")[-1].strip()
            return f"No version of {package} fits {wish.split(' (')[0]} ({at}).", f"The newest there is: {newest}."
    for line in lines:
        if found := NO_PACKAGE.search(line):
            package = _package(found[1])
            return f"No package {package} ({_at(package, text, name)}).", "Check how the name is spelt."
        if CONFLICT.search(line):
            return f"The packages of {name} exclude each other: {line.removeprefix('ERROR: ')}", "Loosen one of the versions."
    errors = [line for line in lines if line.startswith("ERROR")] or list(lines[-1:])
    last = errors[-1].removeprefix("ERROR: ") if errors else "pip said nothing"
    if any(word in last.lower() for word in AWAY):
        return f"The package index could not be reached: {last}", "Upload again when it answers."
    return f"The packages of {name} could not be fetched: {last}", ""


def packages(base: str) -> str:
    return f"FROM {base}\nCOPY packages/ /packages/\nRUN python3 -m compileall -q -j 0 /packages || true\n"


def app(base: str, command: str) -> str:
    """What seldom changes comes first and stays cached. Compiling finds syntax errors early; nothing of the app runs."""
    words = shlex.split(command)
    if words[:1] == ["python"]:
        words[0] = "python3"
    return (
        f"FROM {base}\n"
        "ENV PYTHONPATH=/app:/packages PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp\n"
        "WORKDIR /app\n"
        f"CMD {json.dumps(words)}\n"
        "COPY code/ /app/\n"
        "RUN python3 -m compileall -q /app\n"
        "USER 20001:20001\n"
    )


def blamed(lines: Sequence[str]) -> tuple[str, str] | None:
    """The file, line and words of the compiler's first complaint; None: it had none."""
    where = [(n, found) for n, line in enumerate(lines) if (found := re.search(r'File "/app/(.+)", line (\d+)', line))]
    for n, found in where:
        said = next((line for line in lines[n:] if re.match(r"\s*\w*Error: ", line)), "")
        if said:
            return f"{found[1]}, line {found[2]}: {said.strip()}", "Mend it and upload again."
    return None


def _package(wish: str) -> str:
    found = re.match(NAME, wish)
    return found[0] if found else wish


def _line_of(package: str, text: str) -> int:
    same = re.sub(r"[-_.]+", "-", package).lower()
    for number, line in _lines(text):
        if re.sub(r"[-_.]+", "-", _package(line)).lower() == same:
            return number
    return 0


def _at(package: str, text: str, name: str) -> str:
    line = _line_of(package, text)
    return f"{name}, line {line}" if line else name
