"""The records promise, the same for Kafka and the memory twin."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Mapping

import pytest

from backbone.bus import partition_of
from backbone.bus.raw import BEGINNING, END, Place, Record, Records
from backbone.bus.records import open_records
from backbone.settings import Settings
from contracts.errors import Unavailable
from contracts.topics import Topic
from tests.support.brokers import DEADLINE, Broker, KafkaBroker, take, unique


@pytest.fixture
def records(broker: Broker) -> Records:
    return broker.records()


@pytest.fixture
def topic(broker: Broker) -> Topic:
    return broker.topic(partitions=1)


def send(records: Records, topic: Topic, *values: str, key: bytes = b"k") -> None:
    """Returns when all are acknowledged."""
    told: list[Exception | None] = []
    for value in values:
        records.send(topic, key, value.encode(), told.append)
    records.flush(DEADLINE)
    assert told == [None] * len(values)


def values(taken: list[Record]) -> list[str]:
    return [record.value.decode() for record in taken]


def test_a_record_arrives_whole(records: Records, topic: Topic) -> None:
    told: list[Exception | None] = []
    before = time.time() * 1000
    records.send(topic, b"\xff\x00", bytes(range(256)), told.append)
    records.flush(DEADLINE)
    assert told == [None]
    (got,) = take(records.consumer(None, [topic]), 1)
    assert (got.topic, got.partition, got.offset) == (topic.name, 0, 0)
    assert (got.key, got.value) == (b"\xff\x00", bytes(range(256)))
    assert before - 1000 < got.time_ms < time.time() * 1000 + 1000


def test_done_is_called_inside_poll_or_flush_only(records: Records, topic: Topic) -> None:
    told: list[Exception | None] = []
    records.send(topic, b"k", b"v", told.append)
    time.monotonic()
    assert told == []
    until = time.monotonic() + DEADLINE
    while not told:
        assert time.monotonic() < until
        records.poll(0.1)
    assert told == [None]
    assert records.poll() == 0


def test_empty_values_are_values(records: Records, topic: Topic) -> None:
    send(records, topic, "", "x")
    assert values(take(records.consumer(None, [topic]), 2)) == ["", "x"]


def test_keys_choose_the_partition_and_keep_their_order(records: Records, broker: Broker) -> None:
    topic = broker.topic(partitions=5)
    sent = [(f"k{n % 20}".encode(), f"{n}") for n in range(4000)]
    for key, value in sent:
        records.send(topic, key, value.encode(), lambda error: None)
    records.flush(DEADLINE)
    taken = take(records.consumer(None, [topic]), len(sent))
    for key in {key for key, _ in sent}:
        mine = [record for record in taken if record.key == key]
        assert values(mine) == [value for other, value in sent if other == key]
        assert {record.partition for record in mine} == {partition_of(topic, key)}


def test_poll_gives_at_most_so_many(records: Records, topic: Topic) -> None:
    send(records, topic, *"abcde")
    consumer = records.consumer(None, [topic])
    assert len(take(consumer, 1, most=2)) <= 2
    assert values(take(consumer, 1, most=1)) in (["b"], ["c"])


def test_poll_gives_nothing_after_its_seconds(records: Records, topic: Topic) -> None:
    assert records.consumer(None, [topic]).poll(10, 0.2) == []


def test_alone_it_reads_exactly_the_places_it_is_told(records: Records, broker: Broker) -> None:
    topic = broker.topic(partitions=2)
    keys = [next(k for k in (b"%d" % n for n in range(99)) if partition_of(topic, k) == p) for p in (0, 1)]
    send(records, topic, *"abc", key=keys[0])
    send(records, topic, *"xyz", key=keys[1])
    consumer = records.consumer(None, [topic], {(topic.name, 1): 1})
    assert values(take(consumer, 2)) == ["y", "z"]
    assert consumer.held() == [(topic.name, 1)]
    assert consumer.poll(10, 0.2) == []


def test_end_is_what_is_sent_after_the_call(records: Records, topic: Topic) -> None:
    send(records, topic, "old")
    consumer = records.consumer(None, [topic], {(topic.name, 0): END})
    send(records, topic, "new")
    assert values(take(consumer, 1)) == ["new"]


def test_assign_replaces_what_was_read(records: Records, broker: Broker) -> None:
    one, two = broker.topic(partitions=1), broker.topic(partitions=1)
    send(records, one, "a1", "a2")
    send(records, two, "b1", "b2")
    consumer = records.consumer(None, [one])
    take(consumer, 2)
    consumer.assign({(two.name, 0): 1})
    send(records, one, "a3")
    assert values(take(consumer, 1)) == ["b2"]
    assert consumer.poll(10, 0.2) == []
    assert consumer.held() == [(two.name, 0)]


def test_seek_alone(records: Records, broker: Broker) -> None:
    one, two = broker.topic(partitions=1), broker.topic(partitions=1)
    send(records, one, *"abc")
    send(records, two, *"xyz")
    consumer = records.consumer(None, [one, two])
    take(consumer, 6)
    consumer.seek((one.name, 0), 1)
    assert values(take(consumer, 2)) == ["b", "c"]
    consumer.seek((one.name, 0), BEGINNING)
    assert values(take(consumer, 3)) == ["a", "b", "c"]


def test_seek_in_a_group(records: Records, topic: Topic) -> None:
    send(records, topic, *"abc")
    consumer = records.consumer(unique("g"), [topic])
    take(consumer, 3)
    consumer.seek((topic.name, 0), 1)
    assert values(take(consumer, 2)) == ["b", "c"]


def test_what_was_committed_does_not_come_again(records: Records, topic: Topic) -> None:
    group = unique("g")
    send(records, topic, *"abc")
    first = records.consumer(group, [topic])
    take(first, 3)
    first.commit()
    send(records, topic, "d")
    assert values(take(first, 1)) == ["d"]
    first.close()
    assert values(take(records.consumer(group, [topic]), 1)) == ["d"]


def test_only_what_poll_has_given_is_committed(records: Records, topic: Topic) -> None:
    group = unique("g")
    send(records, topic, *"abc")
    first = records.consumer(group, [topic])
    assert values(take(first, 1, most=1)) == ["a"]
    first.commit()
    first.close()
    assert values(take(records.consumer(group, [topic]), 2)) == ["b", "c"]


def test_a_commit_of_nothing(records: Records, topic: Topic) -> None:
    consumer = records.consumer(unique("g"), [topic])
    consumer.commit()
    consumer.poll(1, 0)
    consumer.commit()


class Offsets:
    """What a caller keeps beside its own effects."""

    def __init__(self, kept: Mapping[Place, int], fail: int = 0) -> None:
        self.kept, self.fail = dict(kept), fail
        self.asked: list[list[Place]] = []
        self.lost: list[Place] = []

    def gained(self, places: list[Place]) -> Mapping[Place, int]:
        self.asked.append(places)
        if len(self.asked) <= self.fail:
            raise Unavailable("the caller's store is away")
        return {place: self.kept[place] for place in places if place in self.kept}

    def lose(self, places: list[Place]) -> None:
        self.lost += places


def test_a_group_begins_where_the_caller_says(records: Records, broker: Broker) -> None:
    topic = broker.topic(partitions=2)
    keys = [next(k for k in (b"%d" % n for n in range(99)) if partition_of(topic, k) == p) for p in (0, 1)]
    send(records, topic, *"abc", key=keys[0])
    send(records, topic, *"xyz", key=keys[1])
    offsets = Offsets({(topic.name, 0): 2})
    consumer = records.consumer(unique("g"), [topic], gained=offsets.gained)
    assert sorted(values(take(consumer, 4))) == ["c", "x", "y", "z"]
    assert offsets.asked == [[(topic.name, 0), (topic.name, 1)]]
    assert consumer.poll(10, 0.2) == []


def test_a_place_the_caller_knows_nothing_of_begins_at_what_was_committed(records: Records, topic: Topic) -> None:
    group = unique("g")
    send(records, topic, *"abc")
    first = records.consumer(group, [topic])
    take(first, 3)
    first.commit()
    first.close()
    send(records, topic, "d")
    assert values(take(records.consumer(group, [topic], gained=Offsets({}).gained), 1)) == ["d"]


def test_an_error_of_the_caller_reaches_it_and_it_is_asked_again(records: Records, topic: Topic) -> None:
    send(records, topic, *"abc")
    offsets = Offsets({(topic.name, 0): 1}, fail=2)
    consumer = records.consumer(unique("g"), [topic], gained=offsets.gained)
    failures, taken, until = 0, list[Record](), time.monotonic() + DEADLINE
    while len(taken) < 2:
        assert time.monotonic() < until
        try:
            taken += consumer.poll(10, 0.2)
        except Unavailable:
            failures += 1
    assert (failures, values(taken)) == (2, ["b", "c"])


def test_members_share_the_places_and_are_told(records: Records, broker: Broker) -> None:
    topic, group = broker.topic(partitions=4), unique("g")
    offsets = Offsets({})
    one = records.consumer(group, [topic], gained=offsets.gained, lost=offsets.lose)
    until = time.monotonic() + DEADLINE
    while len(one.held()) < 4:
        assert time.monotonic() < until
        one.poll(1, 0.1)
    two = broker.records().consumer(group, [topic])
    while len(two.held()) < 2 or len(one.held()) > 2:
        assert time.monotonic() < until
        one.poll(1, 0.1)
        two.poll(1, 0.1)
    assert sorted([*one.held(), *two.held()]) == [(topic.name, n) for n in range(4)]
    assert sorted(offsets.lost) == two.held()
    for n in range(40):
        records.send(topic, f"k{n}".encode(), f"{n}".encode(), lambda error: None)
    records.flush(DEADLINE)
    assert sorted(map(int, values(take([one, two], 40)))) == list(range(40))
    one.close()
    while len(two.held()) < 4:
        assert time.monotonic() < until
        two.poll(1, 0.1)
    two.close()


def test_records_that_answer_are_ready(records: Records) -> None:
    records.ready()


def test_what_is_not_acknowledged_is_said(broker: Broker) -> None:
    records = broker.records_away()
    told: list[Exception | None] = []
    records.send(Topic("nowhere", "id", 1, 1), b"k", b"v", told.append)
    with pytest.raises(Unavailable):
        records.flush(0.3)
    assert told == []
    with pytest.raises(Unavailable):
        records.ready()


@pytest.mark.real
def test_a_member_forgotten_unclosed_is_held_until_its_records_are_closed() -> None:
    """Python taking it away would wait in librdkafka for ever, and the whole process with it: seen once, with a spinning thread."""
    broker = KafkaBroker()
    records, topic = broker.records(), broker.topic(partitions=1)
    send(records, topic, "a")
    member = weakref.ref(records.consumer(unique("g"), [topic]))
    gc.collect()
    assert (held := member()) is not None and values(take(held, 1)) == ["a"]
    del held
    broker.close()
    gc.collect()
    assert member() is None


def test_a_record_that_timed_out_is_the_last_of_its_producer() -> None:
    """It may be one that never sends again. Against nobody, so that it needs no Kafka."""
    records = open_records(Settings({"KAFKA_URL": "127.0.0.1:9"}), linger=0.0, patience=0.2)
    told: list[Exception | None] = []
    for _ in range(2):
        records.send(Topic("nobody", "id", 1, 60), b"k", b"v", told.append)
    first = records._open()
    while len(told) < 2:
        first.poll(0.1)
    assert all(isinstance(error, Unavailable) for error in told)
    second = records._open()
    assert second is not first and records._open() is second
    records.close()
