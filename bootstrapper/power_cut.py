"""What Docker 20.10 cannot mend by itself after a machine lost its power, or after dockerd was killed.

Its bridge driver keeps its half of every Swarm-scoped bridge on disk, the other half is forgotten: each task then ends with
`network … exists`, for ever, also after orderly restarts. Without the file both halves are made anew: local bridges by
dockerd, ours by the next steps of `up`.

The file is also how dockerd finds the bridges that are its own to take away, and the network namespaces of containers that
died with it. While the kernel lives on these keep their addresses on the bridges and refuse what is meant for the next
container with the same address, so that both go together with the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrapper.engine import Engine
from bootstrapper.shell import sh

NETWORK = re.compile(rb'"name":"([^"]*)","networkType":"([^"]*)"')
DOCKERS_OWN = {"bridge", "host", "none", "docker_gwbridge"}
STUCK = re.compile(r"^network \w+ exists$")
MEND = "stop Docker (systemctl stop docker.socket docker, or kill $(cat /var/run/docker.pid)), then berth up"


def foreign(content: bytes) -> set[str]:
    """Networks of this machine alone that neither dockerd nor `up` would make again."""
    found = {(name.decode(), kind.decode()) for name, kind in NETWORK.findall(content)}
    return {name for name, kind in found if name not in DOCKERS_OWN and not (kind == "null" and name.endswith("-node"))}


@dataclass(frozen=True)
class Left:
    """What is left of Docker: its network file, its folder of network namespaces, the names of bridges that installations have."""

    kept: Path
    spaces: Path
    bridges: re.Pattern[str]


KEPT = Path("/var/lib/docker/network/files/local-kv.db")
HERE = Left(KEPT, Path("/var/run/docker/netns"), re.compile(r"bp[0-9a-f]{4}|ba[0-9a-f]{4}-\w+"))


def forget(say: Callable[[str], None], left: Left = HERE) -> None:
    """Only while Docker does not run. Another's networks are never forgotten: then all stays, and that is said."""
    if left.kept.exists():
        if others := foreign(left.kept.read_bytes()):
            names = ", ".join(sorted(others))
            say(f"Docker's network file stays, as it holds {names}; if tasks then say `network … exists`, remove {left.kept}")
            return
        left.kept.unlink()
    _let_go(left.spaces)
    drop_bridges(left.bridges)


def _let_go(spaces: Path) -> None:
    """Of every namespace: the kernel takes it away, with its addresses, once no process lives in it either."""
    for space in sorted(spaces.iterdir()) if spaces.exists() else ():
        sh("umount", "--lazy", space, check=False)  # one that is no mount any more is a file left over
        space.unlink()


def drop_bridges(names: re.Pattern[str]) -> None:
    """Docker takes none away that it found there."""
    for line in sh("ip", "-brief", "link", "show", "type", "bridge").splitlines():
        if names.fullmatch(name := line.split()[0]):
            sh("ip", "link", "delete", name)


def stuck(engine: Engine) -> bool:
    """Some task could not start for that reason."""
    return any(STUCK.match(task["Status"].get("Err", "")) for task in engine.call("GET", "/tasks"))
