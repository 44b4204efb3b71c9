"""A member of a group that stands still beside records that are there is made anew, and takes them."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

import pytest

from backbone.bus import Received
from backbone.bus.kafka import open_bus
from backbone.bus.kafka_consumers import KafkaGroupConsumer
from backbone.clock import SystemClock
from backbone.settings import Settings
from contracts.message import Envelope
from tests.support.brokers import KafkaBroker

pytestmark = pytest.mark.real
WITHIN = 40.0


def envelope(name: str) -> Envelope:
    return Envelope(id=uuid.uuid4().hex, name=name, version=1, time=datetime.now(UTC), source="test", correlation="", body={})


def test_a_member_that_stands_still_is_made_anew() -> None:
    broker, clock = KafkaBroker(), SystemClock()
    topic = broker.topic(partitions=1)
    bus = open_bus(Settings.from_environment(), clock)
    member = KafkaGroupConsumer(bus._how, clock, uuid.uuid4().hex, [topic], stall=0.5)

    def until(name: str) -> Received:
        end = time.monotonic() + WITHIN
        while time.monotonic() < end:
            for one in member.poll(0.2):
                if one.envelope and one.envelope.name == name:
                    member.commit()
                    return one
        raise AssertionError(f"{name} was not given in {WITHIN} s")

    try:
        bus.send([(topic, "k", envelope("First"))])
        until("First")
        before = member._consumer
        before.pause(*before.assignment())  # as the client did by itself: assigned, polled, and given nothing
        bus.send([(topic, "k", envelope("Second"))])
        until("Second")
        assert member._consumer is not before
    finally:
        member.close()
        bus.close()
        broker.close()
