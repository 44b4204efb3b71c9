"""Figures as text."""

from __future__ import annotations

import pytest

from cli.draw import part, share, size, spark


@pytest.mark.parametrize(("count", "text"), [
    (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (100 << 20, "100 MiB"), (5 << 40, "5.0 TiB"), (5000 << 40, "5000 TiB"), (None, ""),
])  # fmt: skip
def test_sizes(count: float | None, text: str) -> None:
    assert size(count) == text


def test_parts_and_shares() -> None:
    assert part(64 << 20, 128 << 20) == "64.0 MiB of 128 MiB (50 %)" and part(1024, None) == "1.0 KiB" and part(None, 5) == ""
    assert share(12.345) == "12.3 %" and share(None) == ""


def test_bars_reach_to_the_top_that_is_given() -> None:
    points = [(float(n), float(n)) for n in range(8)]
    assert spark(points) == "▁▂▃▄▅▆▇█" and spark(points, top=70) == "▁▁▁▁▁▁▁▁" and spark([]) == ""
    assert spark([(0.0, 0.0), (1.0, 0.0)]) == "▁▁" and spark([(5.0, 3.0)]) == "█"


def test_a_gap_stays_a_gap_and_much_becomes_a_mean() -> None:
    assert spark([(float(n), 1.0) for n in (*range(30), *range(60, 90))], width=9) == "███   ███"
    assert spark([(0.0, 1.0), (1.0, None), (2.0, 1.0)]) == "█ █"
    assert len(spark([(float(n), 1.0) for n in range(360)])) == 40
