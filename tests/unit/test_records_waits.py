"""How long librdkafka is asked to wait: it cuts what it is given down to whole milliseconds."""

from __future__ import annotations

from backbone.bus.records_consumer import whole


def test_a_wait_is_never_cut_short_and_hardly_longer() -> None:
    for wish in (0.0001, 0.001, 0.0101, 0.3, 0.7295, 0.9999, 1.0, 3.9995):
        waited = int(whole(wish) * 1000) / 1000
        assert wish <= waited < wish + 0.001, wish


def test_no_wait_stays_none() -> None:
    assert whole(0) == 0
