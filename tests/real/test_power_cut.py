"""What containers that died together with dockerd leave in the kernel: an address on a bridge that nobody is behind."""

from __future__ import annotations

import re
import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrapper.power_cut import Left, forget
from tests.support.front_door import until

pytestmark = pytest.mark.real
SUBNET = "198.18.77"  # RFC 2544's: nobody routes it


def sh(*words: str | Path, check: bool = True) -> str:
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=30, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


@pytest.fixture
def bridge() -> Iterator[str]:
    name = f"bpt-{secrets.token_hex(3)}"
    sh("ip", "link", "add", name, "type", "bridge")
    sh("ip", "address", "add", f"{SUBNET}.1/24", "dev", name)
    sh("ip", "link", "set", name, "up")
    yield name
    sh("ip", "link", "delete", name, check=False)


def dead_container(spaces: Path, bridge: str) -> None:
    """A namespace with an address on the bridge, held by its file alone."""
    spaces.mkdir()
    space, near, far = spaces / secrets.token_hex(6), f"n{secrets.token_hex(4)}", f"f{secrets.token_hex(4)}"
    space.touch()
    sh("unshare", f"--net={space}", "true")
    sh("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", space)
    sh("ip", "link", "set", near, "master", bridge, "up")
    for words in (("address", "add", f"{SUBNET}.2/24", "dev", far), ("link", "set", far, "up"), ("link", "set", "lo", "up")):
        sh("nsenter", f"--net={space}", "ip", *words)


def refused() -> bool:
    """By the kernel of whoever has the address; nobody there is no answer at all."""
    try:
        socket.create_connection((f"{SUBNET}.2", 5432), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    raise AssertionError("somebody listens there")


def test_the_dead_give_up_their_addresses(bridge: str, tmp_path: Path) -> None:
    spaces = tmp_path / "netns"
    dead_container(spaces, bridge)
    until(refused, 10)
    (spaces / "default").touch()  # no namespace: a file left over
    forget(lambda said: pytest.fail(said), Left(tmp_path / "local-kv.db", spaces, re.compile("(?!)")))
    assert not list(spaces.iterdir())
    until(lambda: not refused(), 10)  # the kernel takes a namespace away a moment after its last hold went


def test_a_bridge_that_docker_would_find_there_goes(bridge: str, tmp_path: Path) -> None:
    left = Left(tmp_path / "local-kv.db", tmp_path / "none", re.compile(bridge))
    forget(lambda said: pytest.fail(said), left)
    assert bridge not in sh("ip", "-brief", "link", "show", "type", "bridge")
