"""A tiny subsystem in a process of its own that can be made to die by SIGKILL exactly between its store and its send.

    python -m tests.support.dying handler|route|again NOUN
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import ClassVar

from backbone.backbone import Backbone
from backbone.documents import Declared
from backbone.loop import Loop
from backbone.wrapping import Said
from contracts.message import Message
from contracts.topics import AUDIT

NOUNS = Declared("dying", {"noun": str})
ROUNDS = 100


class Asked(Message):
    """Order to store something."""

    topic: ClassVar = AUDIT
    key_field: ClassVar = "noun"
    noun: str


class Told(Message):
    """It is stored."""

    topic: ClassVar = AUDIT
    key_field: ClassVar = "noun"
    noun: str


def main(mode: str, noun: str) -> None:
    backbone = Backbone.from_environment("dying")
    nouns = backbone.kept(NOUNS)
    send = backbone.outbox._send

    def die(said: Sequence[Said]) -> None:
        if any(one.key == noun for one in said):
            os.kill(os.getpid(), signal.SIGKILL)
        send(said)

    if mode != "again":
        backbone.outbox._send = die
    if mode == "route":
        nouns.insert(noun, {"noun": noun}, [Told(noun=noun)])
        backbone.outbox.flush()

    def asked(message: Asked) -> Iterable[Message] | None:
        if message.noun == noun and nouns.get(noun) is None:
            nouns.insert(noun, {"noun": noun}, [Told(noun=noun)])
        return None

    group = f"{backbone.installation}.dying.{noun}"
    loop = Loop("dying", group, backbone.bus, backbone.clock, backbone.outbox, backbone.wrapper, {Asked: asked}, ())
    for _ in range(ROUNDS):
        loop.step(0.1)
    loop.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
