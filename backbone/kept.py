"""Documents whose changes carry the messages they cause: one write, so that a crash loses neither or repeats both harmlessly."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from backbone.documents import Declared, Doc, Documents, Found, Where
from backbone.wrapping import Said, Wrapper
from contracts.errors import NotFound, Unavailable
from contracts.message import Envelope, Message
from contracts.topics import ALL_TOPICS

TOPIC = {t.name: t for t in ALL_TOPICS}
Decide = Callable[[Doc], tuple[Doc, Sequence[Message]] | None]
Send = Callable[[Sequence[Said]], None]
ATTEMPTS = 200
AT_ONCE = 50


def extended(declared: Declared) -> Declared:
    """`says` is True while a document has something unsaid, and absent otherwise."""
    return Declared(declared.name, {**declared.fields, "says": bool}, declared.unique)


class Outbox:
    """Sends what documents have left unsaid, in each document's order, then clears it. One per process.

    `left` is True where something may stand unsaid that `flush` does not know of: from the start, for a process before this one
    may have died between its write and its sending, and after a sending that failed.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.left = True
        self._collections: list[Documents] = []
        self._touched: deque[tuple[Documents, str]] = deque()
        self._lock = threading.Lock()

    def watch(self, documents: Documents) -> None:
        self._collections.append(documents)

    def touch(self, documents: Documents, id: str) -> None:
        self._touched.append((documents, id))

    def flush(self) -> int:
        """What this process has just written. Unavailable leaves it for `sweep`."""
        sent = 0
        with self._lock:
            while self._touched:
                documents, id = self._touched.popleft()
                try:
                    sent += self._say(documents, documents.get(id))
                except BaseException:
                    self.left = True
                    raise
        return sent

    def sweep(self) -> int:
        """What stayed after a crash or while the bus was away, of this process or another."""
        sent = self.flush()
        with self._lock:
            full = False
            for documents in self._collections:
                found = documents.find({"says": True}, limit=AT_ONCE)
                full = full or len(found) == AT_ONCE
                for one in found:
                    sent += self._say(documents, one)
            self.left = full
        return sent

    def _say(self, documents: Documents, found: Found | None) -> int:
        if found is None or not found.doc.get("unsaid"):
            return 0
        unsaid: list[str] = found.doc["unsaid"]
        self._send([_said(text) for text in unsaid])
        for _ in range(ATTEMPTS):
            left = [text for text in found.doc["unsaid"] if text not in unsaid]
            if documents.replace(found.id, found.version, found.doc | {"unsaid": left, "says": True if left else None}):
                break
            again = documents.get(found.id)
            if again is None:
                break
            found = again
        return len(unsaid)


class Kept:
    """One collection of nouns. A document carries `correlation` of the action that made it and, where it has one, `workspace`."""

    def __init__(self, declared: Declared, documents: Documents, outbox: Outbox, wrapper: Wrapper) -> None:
        self.name, self._documents, self._outbox, self._wrapper = declared.name, documents, outbox, wrapper
        outbox.watch(documents)

    def insert(self, id: str, doc: Doc, messages: Iterable[Message] = ()) -> None:
        """Taken: the id or a unique key is in use."""
        self._documents.insert(id, self._with(doc, messages))
        self._outbox.touch(self._documents, id)

    def change(self, id: str, decide: Decide) -> Doc | None:
        """`decide` gets the document and gives the new one with its messages, or None to leave it; it may be called again.

        Gives what is then stored, or None where it was left. NotFound: there is no such document.
        """
        for _ in range(ATTEMPTS):
            found = self._documents.get(id)
            if found is None:
                raise NotFound(f"No {self.name} {id}.")
            decided = decide(_plain(found.doc))
            if decided is None:
                return None
            doc, messages = decided
            kept = self._with(doc, messages, found.doc.get("unsaid", []))
            if self._documents.replace(id, found.version, kept):
                self._outbox.touch(self._documents, id)
                return _plain(kept)
        raise Unavailable(f"{self.name} {id} is changed by too many at once; try again.")

    def get(self, id: str) -> Doc | None:
        found = self._documents.get(id)
        return None if found is None else _plain(found.doc)

    def find(self, where: Where, sort: str = "", down: bool = False, limit: int = 100, after: Any = None) -> list[Doc]:
        """Each with its `id`."""
        found = self._documents.find(where, sort, down, limit, after) if after else self._documents.find(where, sort, down, limit)
        return [_plain(f.doc) | {"id": f.id} for f in found]

    def delete(self, id: str) -> bool:
        """What it still has to say is said first."""
        self._outbox.touch(self._documents, id)
        self._outbox.flush()
        return self._documents.delete(id)

    def _with(self, doc: Doc, messages: Iterable[Message], before: Sequence[str] = ()) -> Doc:
        said = self._wrapper.wrap(messages, doc.get("correlation", ""), doc.get("workspace", ""))
        unsaid = [*before, *(_text(one) for one in said)]
        correlation = doc.get("correlation") or (said[0].envelope.correlation if said else None)
        return {**_plain(doc), "correlation": correlation, "unsaid": unsaid, "says": True if unsaid else None}


def _plain(doc: Doc) -> Doc:
    return {k: v for k, v in doc.items() if k not in ("unsaid", "says", "id")}


def _text(said: Said) -> str:
    return json.dumps({"topic": said.topic.name, "key": said.key, "envelope": said.envelope.model_dump(mode="json")})


def _said(text: str) -> Said:
    raw = json.loads(text)
    return Said(TOPIC[raw["topic"]], raw["key"], Envelope.model_validate(raw["envelope"]))
