"""Idempotency-Key on POST: a repeated request gets the first one's answer, and nothing is done twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from backbone.backbone import Backbone
from backbone.claims import Claims
from backbone.clock import text_of
from backbone.documents import Declared, Documents
from contracts.errors import Conflict, Invalid, Problem, Taken

KEPT = timedelta(hours=24)
STUCK = timedelta(seconds=60)
LONGEST = 200


@dataclass(frozen=True)
class Kept:
    """An answer as it was given."""

    status: int
    content_type: str
    body: str


class Answers:
    """Kept a day in the collection `answers_<subsystem>`; who asks again with another body is told so.

    An answer that holds a secret is not kept: a repeat is a conflict that says it was done. Only successes count: what
    was refused or failed may be tried again under the same key.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._clock = backbone.clock
        self._declared = Declared(f"answers_{backbone.name}", {"at": str})
        self._home = backbone
        self._opened: Documents | None = None

    @property
    def _documents(self) -> Documents:
        if self._opened is None:
            self._opened = self._home.documents.collection(self._declared)
        return self._opened

    def begin(self, claims: Claims, key: str, method: str, path: str, body: bytes) -> tuple[str, Kept | None]:
        """The id to finish under, or the kept answer. Conflict: it is at work still, or was secret."""
        if len(key) > LONGEST:
            raise Invalid(
                "The Idempotency-Key is too long.",
                [Problem(path="header.Idempotency-Key", rule=f"At most {LONGEST} characters.", hint="Use a UUID.")],
            )
        id = hashlib.sha256("\0".join((claims.purpose, claims.subject, method, path, key)).encode()).hexdigest()
        asked, now = hashlib.sha256(body).hexdigest(), self._clock.now()
        self._forget()
        while True:
            try:
                self._documents.insert(id, {"at": text_of(now), "asked": asked, "done": False})
                return id, None
            except Taken:
                pass
            found = self._documents.get(id)
            if found is None:
                continue
            if found.doc["asked"] != asked:
                raise Conflict("This Idempotency-Key was used for another request; make a new key.")
            if found.doc["done"]:
                return id, self._answer(found.doc)
            if found.doc["at"] > text_of(now - STUCK):
                raise Conflict("The first request with this Idempotency-Key is still at work; ask again in a second.")
            if self._documents.replace(id, found.version, found.doc | {"at": text_of(now)}):
                return id, None

    def finish(self, id: str, answer: Kept, secret: bool) -> None:
        if not 200 <= answer.status < 300:
            self._documents.delete(id)
            return
        kept = {"status": answer.status, "content_type": answer.content_type, "body": None if secret else answer.body}
        self._documents.update_if(id, {}, {"done": True, **kept})

    def _answer(self, doc: dict[str, object]) -> Kept:
        if doc.get("body") is None:
            raise Conflict("This was done already; its answer held a secret that was shown once and is not kept.")
        return Kept(int(str(doc["status"])), str(doc["content_type"]), str(doc["body"]))

    def _forget(self) -> None:
        """A few of those that are over at each new one, so that there is nothing to sweep."""
        for found in self._documents.find({"at": ("<", text_of(self._clock.now() - KEPT))}, "at", limit=5):
            self._documents.delete(found.id)
