"""Containers are given their share once, and nothing is invented where Docker keeps them elsewhere."""

from __future__ import annotations

from pathlib import Path

from bootstrapper import weight


def test_it_is_given_once(tmp_path: Path) -> None:
    shares = tmp_path / "cpu.shares"
    shares.write_text("1024\n")
    assert weight.give(shares) and int(shares.read_text()) == weight.SHARES
    assert not weight.give(shares)


def test_more_is_left_as_it_is(tmp_path: Path) -> None:
    shares = tmp_path / "cpu.shares"
    shares.write_text("99999\n")
    assert not weight.give(shares) and shares.read_text() == "99999\n"


def test_elsewhere_nothing_is_made(tmp_path: Path) -> None:
    assert not weight.give(tmp_path / "cpu.shares") and not list(tmp_path.iterdir())
