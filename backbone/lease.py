"""The lease: one holder at a time among replicas, kept as a document, without comparing clocks between machines."""

from __future__ import annotations

import math
from collections.abc import Callable

from backbone.documents import Documents
from contracts.errors import Taken


class Lease:
    """The document `id` in `documents`, a collection that declares nothing and holds leases only.

    A rival takes over when it has itself seen no renewal for `seconds`, by its own clock. The holder must stop its work
    `seconds` after the start of its last renewal, by its own clock: held() says so. The fence grows by one at each change
    of hands, so that what is written under it can tell an old holder's late work.

    `holder` is unique to each incarnation of a replica. `now` gives seconds that only grow. Not to be shared between
    threads. take() and release() may raise Unavailable.
    """

    def __init__(self, documents: Documents, id: str, holder: str, seconds: float, now: Callable[[], float]) -> None:
        self._documents, self._id, self._holder, self._seconds, self._now = documents, id, holder, seconds, now
        self._seen, self._since = 0, -math.inf  # the last version seen, and when it was first seen
        self._until = -math.inf
        self._wrote: tuple[int, int] | None = None  # the version and the fence that this holder wrote last

    def take(self) -> int | None:
        """Takes or renews it: the fence, or None while another has it. Call it every third of `seconds` or so."""
        started = self._now()
        fence = self._try()
        if fence is not None:
            self._until = started + self._seconds
        return fence

    def held(self) -> bool:
        """Whether no rival can have it yet; asks nobody."""
        return self._now() < self._until

    def release(self) -> None:
        """Lets a rival take it at once. Does nothing where another has it."""
        self._until, self._wrote = -math.inf, None
        found = self._documents.get(self._id)
        if found and found.doc["holder"] == self._holder:
            self._documents.replace(self._id, found.version, found.doc | {"holder": ""})

    def _try(self) -> int | None:
        """A renewal is one write: it is taken only where nobody has written since. Whatever else became of it, all is read anew."""
        wrote, self._wrote = self._wrote, None
        if wrote and self._write(*wrote):
            return wrote[1]
        found = self._documents.get(self._id)
        if found is None:
            try:
                self._documents.insert(self._id, {"holder": self._holder, "fence": 1})
            except Taken:
                return None
            self._wrote = 1, 1
            return 1
        if found.version != self._seen:
            self._seen, self._since = found.version, self._now()
        mine = found.doc["holder"] == self._holder
        if not mine and found.doc["holder"] and self._now() - self._since < self._seconds:
            return None
        fence: int = found.doc["fence"] + (not mine)
        return fence if self._write(found.version, fence) else None

    def _write(self, version: int, fence: int) -> bool:
        if not self._documents.replace(self._id, version, {"holder": self._holder, "fence": fence}):
            return False
        self._wrote = version + 1, fence
        return True
