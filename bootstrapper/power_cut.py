"""What Docker 20.10 cannot mend by itself after a machine lost its power, or after dockerd was killed.

Its bridge driver keeps its half of every Swarm-scoped bridge on disk, the other half is forgotten: each task then ends with
`network … exists`, for ever, also after orderly restarts. Without the file both halves are made anew: local bridges by
dockerd, ours by the next steps of `up`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bootstrapper.engine import Engine

KEPT = Path("/var/lib/docker/network/files/local-kv.db")
NETWORK = re.compile(rb'"name":"([^"]*)","networkType":"([^"]*)"')
DOCKERS_OWN = {"bridge", "host", "none", "docker_gwbridge"}
STUCK = re.compile(r"^network \w+ exists$")
MEND = "stop Docker (systemctl stop docker.socket docker, or kill $(cat /var/run/docker.pid)), then berth up"


def foreign(content: bytes) -> set[str]:
    """Networks of this machine alone that neither dockerd nor `up` would make again."""
    found = {(name.decode(), kind.decode()) for name, kind in NETWORK.findall(content)}
    return {name for name, kind in found if name not in DOCKERS_OWN and not (kind == "null" and name.endswith("-node"))}


def forget(say: Callable[[str], None], kept: Path = KEPT) -> None:
    """Only while Docker does not run. Another's networks are never forgotten: then the file stays, and that is said."""
    if not kept.exists():
        return
    if others := foreign(kept.read_bytes()):
        say(f"Docker's network file stays, as it holds {', '.join(sorted(others))}; if tasks then say `network … exists`, remove {kept}")
        return
    kept.unlink()


def stuck(engine: Engine) -> bool:
    """Some task could not start for that reason."""
    return any(STUCK.match(task["Status"].get("Err", "")) for task in engine.call("GET", "/tasks"))
