"""A person's bearer token for a browser's session, renewed in time and by one at a time."""

from __future__ import annotations

import threading
from datetime import timedelta

from backbone.backbone import Backbone
from backbone.clock import moment_of
from backbone.documents import Found
from contracts.errors import Refused, Unavailable
from platform_ui.store import Store

EARLY = timedelta(seconds=60)
CLAIM = timedelta(seconds=12)
PAUSE = 0.05
PATIENCE = 300
LOCKS = 64


class Tokens:
    def __init__(self, backbone: Backbone, store: Store) -> None:
        self._clock, self._peers, self._store = backbone.clock, backbone.peers, store
        self._locks = [threading.Lock() for _ in range(LOCKS)]

    def of(self, session: str) -> str:
        """Refused: the session is over, log in again. Unavailable: it cannot be renewed now."""
        found = self._found(session)
        if self._fresh(found):
            return str(found.doc["access"])
        with self._locks[hash(session) % LOCKS]:
            return self._renewed(session)

    def _renewed(self, session: str) -> str:
        """In this process one at a time (the lock); among the replicas who claims it first, the others wait for what comes."""
        for _ in range(PATIENCE):
            found = self._found(session)
            if self._fresh(found):
                return str(found.doc["access"])
            claimed, now = found.doc.get("claimed"), self._clock.now()
            if claimed and now < moment_of(claimed):
                self._clock.sleep(PAUSE)
            elif self._store.claim(found, now + CLAIM):
                return self._renew(session, found.doc["refresh"])
        raise Unavailable("Your session is being renewed and that takes too long; try again.")

    def _found(self, session: str) -> Found:
        found = self._store.session(session)
        if found is None:
            raise Refused("This session is over; log in again.")
        return found

    def _fresh(self, found: Found) -> bool:
        return self._clock.now() + EARLY < moment_of(found.doc["fresh"])

    def _renew(self, session: str, refresh: str) -> str:
        try:
            told = self._peers.post("/session/refresh", {"refresh_token": refresh}, token="").check().json
        except Refused:
            self._store.end(session)
            raise
        self._store.renewed(session, told)
        return str(told["access_token"])
