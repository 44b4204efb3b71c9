"""Writes the folder that HAProxy starts from: configuration, maps, pages, keys, certificate. Routes that are there stay."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway import config
from gateway.door import FOLDER, Door
from gateway.files import replace

KEPT = ("routes.map", "revoked.map")


def write(folder: Path, door: Door, keys: Sequence[str], tls: str = "") -> None:
    """`folder` may differ from `door.folder`, which is its name inside HAProxy's container. Each of `keys` may sign."""
    door = dataclasses.replace(door, keys=len(keys))
    folder.mkdir(parents=True, exist_ok=True)
    before = folder / "haproxy.cfg"
    _, mark, apps = before.read_text().partition(config.MARK) if before.is_file() else ("", "", "")
    same = apps.count("\nbackend r") == door.routes and f"server s{door.slots} " in apps and f"server s{door.slots + 1} " not in apps
    kept = mark and same
    text = config.front(door) + mark + apps if kept else config.render(door)
    for name, content in config.files(door, keys).items():
        if name not in KEPT or not (folder / name).is_file() or (name == "routes.map" and not kept):
            replace(folder / name, content)
    if tls:
        replace(folder / "tls.pem", tls, 0o400)
    replace(folder / "haproxy.cfg", text)


def pems(text: str) -> list[str]:
    """The single PEM blocks of a bundle, in order."""
    blocks: list[str] = []
    for line in text.splitlines():
        if line.startswith("-----BEGIN"):
            blocks.append("")
        if blocks:
            blocks[-1] += line + "\n"
    return blocks


def command(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    keys = pems(Path(options.keys).read_text())
    names: Mapping[str, str] = dict(pair.split("=", 1) for pair in options.service)
    door = Door(
        installation=options.installation,
        public_url=options.public_url,
        apps_url=options.apps_url,
        routes=options.routes,
        slots=options.slots,
        service_names=tuple(names.items()),
    )
    tls = "".join(Path(p).read_text() for p in options.tls)
    write(Path(options.folder), door, keys, tls)
    if options.owner is not None:
        for path in (Path(options.folder), *Path(options.folder).iterdir()):
            os.chown(path, options.owner, options.owner)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m gateway render", description=__doc__)
    parser.add_argument("--installation", required=True)
    parser.add_argument("--keys", required=True, help="file of public keys in PEM that tokens are checked with")
    parser.add_argument("--tls", nargs="*", default=[], help="files that make tls.pem: certificate, chain, key")
    parser.add_argument("--folder", default=FOLDER)
    parser.add_argument("--owner", type=int, help="user and group id that HAProxy runs as")
    parser.add_argument("--public-url", default=Door.public_url)
    parser.add_argument("--apps-url", default=Door.apps_url)
    parser.add_argument("--routes", type=int, default=Door.routes)
    parser.add_argument("--slots", type=int, default=Door.slots)
    parser.add_argument("--service", action="append", default=[], help="backend=host:port where it differs from the rule")
    return parser
