"""After a power cut Docker's own network file is forgotten, unless it holds what is not ours to forget."""

from __future__ import annotations

from pathlib import Path

from bootstrapper.power_cut import STUCK, foreign, forget

OURS = (
    b'\x00{"name":"bridge","networkType":"bridge"}\x00{"name":"berth0-node","networkType":"null"}'
    b'{"name":"docker_gwbridge","networkType":"bridge"}{"name":"host","networkType":"host"}{"name":"none","networkType":"null"}'
    b'{"anonymous":false,"name":"an-endpoint","sandbox":"x"}'
)
THEIRS = OURS + b'{"name":"their_default","networkType":"bridge"}'


def test_what_up_makes_again_is_not_foreign() -> None:
    assert foreign(OURS) == set()
    assert foreign(THEIRS) == {"their_default"}


def test_the_file_is_forgotten(tmp_path: Path) -> None:
    said: list[str] = []
    kept = tmp_path / "local-kv.db"
    forget(said.append, kept, tmp_path / "none")
    kept.write_bytes(OURS)
    forget(said.append, kept, tmp_path / "none")
    assert not kept.exists() and not said


def test_anothers_network_is_never_forgotten(tmp_path: Path) -> None:
    said: list[str] = []
    kept = tmp_path / "local-kv.db"
    kept.write_bytes(THEIRS)
    (spaces := tmp_path / "netns").mkdir()
    (spaces / "1d3d88043d25").touch()
    forget(said.append, kept, spaces)
    assert kept.read_bytes() == THEIRS and len(list(spaces.iterdir())) == 1
    assert "their_default" in said[0] and str(kept) in said[0]


def test_the_reason_is_known_by_its_words() -> None:
    assert STUCK.match("network u9wpzns5elunas5qwdumi64oi exists")
    assert not STUCK.match("no suitable node")
