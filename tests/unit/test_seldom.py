"""A library that tries again and again is heard, and does not drown what else is said."""

from __future__ import annotations

from backbone.clock import ManualClock
from backbone.logs import MOST, Seldom

REFUSED = "Connect to ipv4#10.0.0.{n}:9092 failed: Connection refused (after {n}ms in state CONNECT)"


def test_the_same_words_are_said_once_in_a_while_and_how_often_they_were_not() -> None:
    clock = ManualClock()
    seldom = Seldom(30.0, clock.monotonic)
    assert seldom(REFUSED.format(n=1)) == {}
    assert [seldom(REFUSED.format(n=n)) for n in range(2, 60)] == [None] * 58, "numbers make no other words of them"
    assert seldom("1/1 brokers are down") == {}
    clock.advance(30)
    assert seldom(REFUSED.format(n=7)) == {"unsaid": 58}
    clock.advance(30)
    assert seldom(REFUSED.format(n=7)) == {}


def test_what_is_remembered_is_bounded() -> None:
    clock = ManualClock()
    seldom = Seldom(30.0, clock.monotonic)
    for turn in range(3):
        for n in range(MOST):
            assert seldom(f"words {chr(65 + turn)} {'x' * n}") == {}
        clock.advance(31)
    assert len(seldom._said) <= MOST
