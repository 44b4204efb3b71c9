"""Every message can be read for ever: its example is decoded as it was written, also by who knows less or more."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from backbone.bus import decode, encode
from contracts.message import Envelope, Message
from contracts.messages import BY_NAME, MESSAGES
from contracts.topics import ALL_TOPICS, AUDIT, MESSAGE_TOPICS, RECORD_TOPICS, TOPICS, Topic

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples" / "messages"

NOT_YET = {
    AUDIT: "nothing is audited so far",
}

each_message = pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)


def example(kind: type[Message]) -> dict[str, Any]:
    path = EXAMPLES / f"{kind.__name__}.json"
    assert path.is_file(), f"{kind.__name__} needs an example: write {path}"
    written: dict[str, Any] = json.loads(path.read_text())
    return written


def holds(whole: Any, part: Any) -> bool:
    """Whether all that `part` says is in `whole`, which may say more."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(k in whole and holds(whole[k], v) for k, v in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


def with_more(value: Any) -> Any:
    """The same from a writer who knows more: an unknown field in every object that has fields."""
    if isinstance(value, dict):
        more = {key: with_more(inner) for key, inner in value.items()}
        return more if is_table(value) else more | {"from_the_future": {"deep": [1]}}
    return [with_more(one) for one in value] if isinstance(value, list) else value


def is_table(value: dict[str, Any]) -> bool:
    """A mapping whose keys are data (generation, service, need, variable), not fields."""
    return any(key.isdigit() or key.isupper() or key in ("web", "temperature") for key in value)


@each_message
def test_the_example_is_read_whole(kind: type[Message]) -> None:
    written = example(kind)
    envelope = Envelope.model_validate(written)
    assert (envelope.name, envelope.version) == (kind.__name__, kind.version)
    message = kind.model_validate(envelope.body)
    assert holds(json.loads(message.model_dump_json()), written["body"]), "a field was dropped, renamed or changed"
    assert message.key == str(written["body"][kind.key_field])


@each_message
def test_the_example_shows_every_field(kind: type[Message]) -> None:
    assert set(example(kind)["body"]) == set(kind.model_fields)


@each_message
def test_unknown_fields_are_ignored(kind: type[Message]) -> None:
    written = example(kind)
    more = Envelope.model_validate(with_more(written))
    assert kind.model_validate(more.body) == kind.model_validate(written["body"])


@each_message
def test_the_bus_carries_it_unchanged(kind: type[Message]) -> None:
    envelope = Envelope.model_validate(example(kind))
    carried = decode(encode(envelope))
    assert carried == envelope
    assert carried and kind.model_validate(carried.body) == kind.model_validate(envelope.body)


@each_message
def test_what_it_needs_is_asked_for(kind: type[Message]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate({})


@each_message
def test_it_is_declared_in_full(kind: type[Message]) -> None:
    assert kind.topic in MESSAGE_TOPICS
    assert kind.key_field in kind.model_fields
    assert kind.model_config.get("frozen") and kind.model_config.get("extra") == "ignore"
    assert kind.__doc__ and inspect.cleandoc(kind.__doc__).endswith("."), "one sentence says what it means"


def test_names_are_unique_and_no_message_is_left_out() -> None:
    assert len(BY_NAME) == len(MESSAGES)
    assert set(MESSAGES) == {kind for kind in below(Message) if not any(True for _ in kind.__subclasses__())}


def below(kind: type[Message]) -> set[type[Message]]:
    """All subclasses that are written in contracts; tests have messages of their own."""
    direct = [one for one in kind.__subclasses__() if one.__module__.startswith("contracts.")]
    return {*direct, *(deeper for one in direct for deeper in below(one))}


def test_every_example_has_its_message() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == set(BY_NAME)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_messages_or_is_for_records(topic: Topic) -> None:
    said = [kind.__name__ for kind in MESSAGES if kind.topic == topic]
    if topic in NOT_YET:
        assert not said, f"{topic.name} has messages now: take it out of NOT_YET"
        return
    assert bool(said) != (topic in RECORD_TOPICS)


def test_topics_are_told_apart() -> None:
    assert len({topic.name for topic in ALL_TOPICS}) == len(ALL_TOPICS)
    assert set(TOPICS) == {*MESSAGE_TOPICS, *RECORD_TOPICS} and not set(MESSAGE_TOPICS) & set(RECORD_TOPICS)
    for topic in TOPICS:
        assert topic.dead.partitions == 1 and not topic.dead.compacted and topic.dead in ALL_TOPICS
