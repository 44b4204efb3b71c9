"""The bus promise, the same for Kafka and the memory twin."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from backbone.bus import Bus, Reader, Received, Said, decode, partition_of
from contracts.errors import Unavailable
from contracts.message import Envelope
from contracts.topics import Topic
from tests.support.brokers import DEADLINE, Broker, KafkaBroker, hear, unique
from tests.support.real import address


@pytest.fixture
def bus(broker: Broker) -> Bus:
    return broker.bus()


@pytest.fixture
def topic(broker: Broker) -> Topic:
    return broker.topic()


def envelope(id: str, **body: object) -> Envelope:
    return Envelope(
        id=id, name="Happened", version=1, time=datetime(2026, 3, 4, 5, 6, 7, 890123, UTC), source="test",
        correlation="c" * 32, body=dict(body),
    )  # fmt: skip


def said(topic: Topic, *keys_and_ids: str) -> list[Said]:
    """`k:1` is the envelope with id 1 under the key k."""
    return [(topic, key, envelope(id)) for key, id in (one.split(":") for one in keys_and_ids)]


def ids(received: list[Received]) -> list[str]:
    return [one.envelope.id if one.envelope else "?" for one in received]


def read(reader: Reader) -> list[str]:
    return [one.id for one in reader.read_to_end()]


def test_a_message_arrives_whole(bus: Bus, topic: Topic) -> None:
    sent = envelope("1", text="Zürich \U0001f321 \x00", number=1.5, deep={"list": [None, True]})
    bus.send([(topic, "kö", sent)])
    (got,) = hear(bus.consumer(unique("g"), [topic]), 1)
    assert (got.topic, got.key, got.envelope) == (topic, "kö", sent)
    assert decode(got.raw) == sent


def test_nothing_sent_is_no_error(bus: Bus) -> None:
    bus.send([])


def test_a_key_has_one_partition_and_keeps_its_order(bus: Bus, broker: Broker, topic: Topic) -> None:
    keys = [f"k{n}" for n in range(7)]
    for n in range(10):
        bus.send([(topic, key, envelope(f"{n}")) for key in keys])
    broker.write(topic, b"k0", envelope("10").model_dump_json().encode())
    heard = hear(bus.consumer(unique("g"), [topic]), 71)
    for key in keys:
        mine = [one for one in heard if one.key == key]
        assert ids(mine) == [f"{n}" for n in range(11 if key == "k0" else 10)]
        assert {one.position.rsplit("/", 1)[0] for one in mine} == {f"{topic.name}/{partition_of(topic, key.encode())}"}


def test_positions_are_unique(bus: Bus, topic: Topic) -> None:
    bus.send(said(topic, "a:1", "a:2", "b:3", "c:4"))
    heard = hear(bus.consumer(unique("g"), [topic]), 4)
    assert len({one.position for one in heard}) == 4


def test_many_in_one_call(bus: Bus, topic: Topic) -> None:
    bus.send([(topic, f"k{n % 50}", envelope(f"{n}", pad="x" * 300)) for n in range(2000)])
    assert sorted(map(int, ids(hear(bus.consumer(unique("g"), [topic]), 2000)))) == list(range(2000))


def test_a_consumer_hears_all_its_topics(bus: Bus, broker: Broker) -> None:
    one, two, three = broker.topic(), broker.topic(1), broker.topic()
    bus.send([*said(one, "a:1"), *said(two, "a:2"), *said(three, "a:3")])
    heard = hear(bus.consumer(unique("g"), [one, two]), 2)
    assert {(got.topic.name, *ids([got])) for got in heard} == {(one.name, "1"), (two.name, "2")}


def test_poll_gives_nothing_after_its_seconds(bus: Bus, topic: Topic) -> None:
    consumer = bus.consumer(unique("g"), [topic])
    assert consumer.poll(0) == []
    assert consumer.poll(0.2) == []


def test_poll_returns_as_soon_as_something_is_there(bus: Bus, broker: Broker, topic: Topic) -> None:
    consumer = bus.consumer(unique("g"), [topic])
    bus.send(said(topic, "a:1"))
    hear(consumer, 1)
    asked, heard = threading.Event(), list[Received]()

    def ask() -> None:
        asked.set()
        heard.extend(consumer.poll(DEADLINE))

    thread = threading.Thread(target=ask)
    thread.start()
    asked.wait()
    began = time.monotonic()
    broker.bus().send(said(topic, "a:2"))
    thread.join()
    assert ids(heard) == ["2"] and time.monotonic() - began < DEADLINE / 2


def test_a_new_group_begins_at_the_beginning(bus: Bus, topic: Topic) -> None:
    bus.send(said(topic, "a:1", "b:2"))
    assert sorted(ids(hear(bus.consumer(unique("g"), [topic]), 2))) == ["1", "2"]


def test_groups_do_not_share(bus: Bus, topic: Topic) -> None:
    bus.send(said(topic, "a:1", "b:2"))
    one, two = bus.consumer(unique("g"), [topic]), bus.consumer(unique("g"), [topic])
    assert sorted(ids(hear(one, 2))) == sorted(ids(hear(two, 2))) == ["1", "2"]


def test_what_was_committed_does_not_come_again(bus: Bus, topic: Topic) -> None:
    group = unique("g")
    bus.send(said(topic, "a:1", "b:2"))
    first = bus.consumer(group, [topic])
    hear(first, 2)
    first.commit()
    first.close()
    bus.send(said(topic, "a:3"))
    second = bus.consumer(group, [topic])
    assert ids(hear(second, 1)) == ["3"]
    assert second.poll(0.3) == []


def test_what_was_not_committed_comes_again(bus: Bus, topic: Topic) -> None:
    group = unique("g")
    bus.send(said(topic, "a:1"))
    first = bus.consumer(group, [topic])
    hear(first, 1)
    first.commit()
    bus.send(said(topic, "a:2", "a:3"))
    hear(first, 2)
    first.close()
    assert ids(hear(bus.consumer(group, [topic]), 2)) == ["2", "3"]


def test_a_commit_of_nothing(bus: Bus, topic: Topic) -> None:
    consumer = bus.consumer(unique("g"), [topic])
    consumer.commit()
    consumer.poll(0)
    consumer.commit()


def test_members_share_the_work(bus: Bus, broker: Broker) -> None:
    topic, group = broker.topic(partitions=6), unique("g")
    members = [broker.bus().consumer(group, [topic]) for _ in range(2)]
    bus.send(said(topic, *(f"warm{n}:w" for n in range(30))))
    until = time.monotonic() + DEADLINE
    shares: list[set[str]] = [set(), set()]
    while not all(shares):
        assert time.monotonic() < until, "one member got nothing"
        bus.send(said(topic, *(f"k{n}:1" for n in range(30))))
        shares = [{one.key for one in member.poll(0.3) if one.key[0] == "k"} for member in members]
        for member in members:
            member.commit()
    assert not shares[0] & shares[1]


def test_work_of_a_member_that_leaves_goes_to_another(bus: Bus, broker: Broker) -> None:
    topic, group = broker.topic(partitions=6), unique("g")
    one, two = bus.consumer(group, [topic]), broker.bus().consumer(group, [topic])
    sent = {f"{n}" for n in range(60)}
    bus.send(said(topic, *(f"k{n}:{n}" for n in sent)))
    ones, twos, until = set[str](), set[str](), time.monotonic() + DEADLINE
    while ones | twos != sent:
        assert time.monotonic() < until
        ones.update(ids(one.poll(0.2)))
        twos.update(ids(two.poll(0.2)))
    one.close()
    while twos != sent:
        assert time.monotonic() < until, "what the first left uncommitted did not come to the second"
        twos.update(ids(two.poll(0.2)))


def test_a_commit_that_comes_late_takes_nothing_from_the_new_owner(bus: Bus, broker: Broker) -> None:
    topic, group = broker.topic(partitions=1), unique("g")
    one = bus.consumer(group, [topic])
    bus.send(said(topic, "a:1", "a:2"))
    hear(one, 2)
    one.close()
    two = broker.bus().consumer(group, [topic])
    assert ids(hear(two, 2)) == ["1", "2"]
    two.commit()
    bus.send(said(topic, "a:3"))
    assert ids(hear(two, 1)) == ["3"]


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"{}", b'{"id": "1"}', b"null"])
def test_what_is_no_envelope_comes_raw(bus: Bus, broker: Broker, topic: Topic, raw: bytes) -> None:
    broker.write(topic, b"k", raw)
    bus.send(said(topic, "k:2"))
    bad, good = hear(bus.consumer(unique("g"), [topic]), 2)
    assert (bad.key, bad.envelope, bad.raw) == ("k", None, raw)
    assert ids([good]) == ["2"]


def test_a_key_that_is_no_text_stops_nothing(bus: Bus, broker: Broker, topic: Topic) -> None:
    broker.write(topic, b"\xff", b"x")
    assert len(hear(bus.consumer(unique("g"), [topic]), 1)) == 1


def test_unknown_fields_of_an_envelope_are_ignored(bus: Bus, broker: Broker, topic: Topic) -> None:
    newer = {**envelope("1").model_dump(mode="json"), "shape": "new"}
    broker.write(topic, b"k", json.dumps(newer).encode())
    assert ids(hear(bus.consumer(unique("g"), [topic]), 1)) == ["1"]


def test_a_reader_reads_all_and_then_on(bus: Bus, broker: Broker, topic: Topic) -> None:
    bus.send(said(topic, "a:1", "a:2"))
    reader = bus.reader(topic)
    assert read(reader) == ["1", "2"]
    assert read(reader) == []
    assert reader.poll(0.1) == []
    broker.bus().send(said(topic, "a:3"))
    until = time.monotonic() + DEADLINE
    while not (more := reader.poll(1)):
        assert time.monotonic() < until
    assert [one.id for one in more] == ["3"]
    bus.send(said(topic, "a:4", "b:5"))
    assert sorted(read(reader)) == ["4", "5"]
    reader.close()


def test_a_reader_may_begin_at_the_end(bus: Bus, topic: Topic) -> None:
    bus.send(said(topic, "a:1", "b:2"))
    reader = bus.reader(topic)
    reader.skip()
    bus.send(said(topic, "a:3"))
    assert read(reader) == ["3"]
    reader.close()


def test_a_reader_of_several_topics(bus: Bus, broker: Broker) -> None:
    one, two = broker.topic(), broker.topic(1)
    bus.send([*said(one, "a:1"), *said(two, "a:2"), *said(one, "a:3")])
    reader = bus.reader(one, two, together=0.3)
    assert sorted(read(reader)) == ["1", "2", "3"]
    bus.send([*said(two, "b:4"), *said(one, "b:5")])
    heard, until = list[str](), time.monotonic() + DEADLINE
    while len(heard) < 2:
        assert time.monotonic() < until
        heard += [one.id for one in reader.poll(0.5)]
    assert sorted(heard) == ["4", "5"]
    reader.close()


def test_a_reader_of_an_empty_topic(bus: Bus, topic: Topic) -> None:
    assert read(bus.reader(topic)) == []


def test_readers_and_groups_take_nothing_from_each_other(bus: Bus, topic: Topic) -> None:
    bus.send(said(topic, "a:1"))
    consumer = bus.consumer(unique("g"), [topic])
    hear(consumer, 1)
    consumer.commit()
    assert read(bus.reader(topic)) == read(bus.reader(topic)) == ["1"]


def test_a_reader_leaves_out_what_is_no_envelope(bus: Bus, broker: Broker, topic: Topic) -> None:
    broker.write(topic, b"a", b"not one")
    bus.send(said(topic, "a:2"))
    broker.write(topic, b"a", b"nor this")
    assert read(bus.reader(topic)) == ["2"]


def test_a_compacted_topic_gives_the_newest_of_each_key(bus: Bus, broker: Broker) -> None:
    topic = broker.topic(partitions=1, keep=0)
    bus.send(said(topic, "a:1", "b:2", "a:3"))
    assert {"2", "3"} <= set(read(bus.reader(topic)))


def test_many_threads_may_send(bus: Bus, topic: Topic) -> None:
    def send(thread: int) -> None:
        for n in range(20):
            bus.send([(topic, f"k{thread}", envelope(f"{n}"))])

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    heard = hear(bus.consumer(unique("g"), [topic]), 80)
    for n in range(4):
        assert ids([one for one in heard if one.key == f"k{n}"]) == [f"{n}" for n in range(20)]


def test_a_bus_that_answers_is_ready(bus: Bus) -> None:
    bus.ready()


@pytest.mark.parametrize(
    "verb",
    [lambda bus, topic: bus.send(said(topic, "a:1")), lambda bus, topic: bus.ready(),
     lambda bus, topic: bus.reader(topic).read_to_end(), lambda bus, topic: bus.consumer(unique("g"), [topic])],
    ids=["send", "ready", "read", "consume"],
)  # fmt: skip
def test_a_bus_that_is_away_says_so(broker: Broker, verb: Callable[[Bus, Topic], object]) -> None:
    with pytest.raises(Unavailable):
        verb(broker.bus_away(), Topic("nowhere", "id", 1, 1))


@pytest.mark.real
def test_a_topic_that_is_not_there_is_no_success() -> None:
    broker = KafkaBroker()
    with pytest.raises(Unavailable):
        broker.bus().send(said(Topic(unique("missing"), "id", 1, 1), "a:1"))
    broker.close()


@pytest.mark.real
def test_a_wrong_password_is_said() -> None:
    address("KAFKA_URL"), address("KAFKA_USER")
    broker = KafkaBroker()
    with pytest.raises(Unavailable, match="(?i)password|auth") as told:
        broker.bus(KAFKA_PASSWORD="wrong-one").ready()
    assert os.environ["KAFKA_PASSWORD"] not in str(told.value) and "wrong-one" not in str(told.value)
    broker.close()


def test_times_keep_their_microseconds(bus: Bus, topic: Topic) -> None:
    sent = envelope("1").model_copy(update={"time": datetime.now(UTC) + timedelta(microseconds=1)})
    bus.send([(topic, "k", sent)])
    assert hear(bus.consumer(unique("g"), [topic]), 1)[0].envelope == sent
