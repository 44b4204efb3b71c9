"""After a power cut Docker's own network file is forgotten, unless it holds what is not ours to forget."""

from __future__ import annotations

import re
from pathlib import Path

from bootstrapper.installation import Installation
from bootstrapper.power_cut import HERE, STUCK, Left, foreign, forget

OURS = (
    b'\x00{"name":"bridge","networkType":"bridge"}\x00{"name":"berth0-node","networkType":"null"}'
    b'{"name":"docker_gwbridge","networkType":"bridge"}{"name":"host","networkType":"host"}{"name":"none","networkType":"null"}'
    b'{"anonymous":false,"name":"an-endpoint","sandbox":"x"}'
)
NONE = re.compile("(?!)")
THEIRS = OURS + b'{"name":"their_default","networkType":"bridge"}'


def test_what_up_makes_again_is_not_foreign() -> None:
    assert foreign(OURS) == set()
    assert foreign(THEIRS) == {"their_default"}


def test_the_file_is_forgotten(tmp_path: Path) -> None:
    said: list[str] = []
    kept = tmp_path / "local-kv.db"
    left = Left(kept, tmp_path / "none", NONE)
    forget(said.append, left)
    kept.write_bytes(OURS)
    forget(said.append, left)
    assert not kept.exists() and not said


def test_anothers_network_is_never_forgotten(tmp_path: Path) -> None:
    said: list[str] = []
    kept = tmp_path / "local-kv.db"
    kept.write_bytes(THEIRS)
    (spaces := tmp_path / "netns").mkdir()
    (spaces / "1d3d88043d25").touch()
    forget(said.append, Left(kept, spaces, NONE))
    assert kept.read_bytes() == THEIRS and len(list(spaces.iterdir())) == 1
    assert "their_default" in said[0] and str(kept) in said[0]


def test_the_reason_is_known_by_its_words() -> None:
    assert STUCK.match("network u9wpzns5elunas5qwdumi64oi exists")
    assert not STUCK.match("no suitable node")


def test_bridges_of_every_installation_are_known_and_no_others() -> None:
    own = Installation("berth", 8000, Path("/nowhere"), "192.0.2.2")
    mine = [own.own_bridge, f"{own.policy_prefix}-plat", f"{own.policy_prefix}-inet"]
    assert all(HERE.bridges.fullmatch(name) and own.bridges.fullmatch(name) for name in mine)
    assert not any(HERE.bridges.fullmatch(name) for name in ("docker0", "docker_gwbridge", "br-1a2b3c4d5e6f", "bp", "virbr0", "bad0"))
    other = Installation("lab", 9000, Path("/nowhere"), "192.0.2.2")
    assert not any(other.bridges.fullmatch(name) for name in mine)
