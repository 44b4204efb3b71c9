"""Incidents, one document each with all that is said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from backbone.clock import text_of
from backbone.documents import Declared, Doc, Documents
from backbone.kept import Kept
from contracts.errors import NotFound, Taken
from contracts.message import Message
from monitor.model import Expected, Ran
from monitor.model_incident import Incident, Step

FIELDS = {"state": str, "about": str, "subsystem": str, "role": str, "replica": str, "opened": str}
INCIDENTS = Declared("incidents", FIELDS, unique=(("about",),))
"""`about` is there while it is open: of one replica there is one open incident at most, whoever leads."""
PARTS = Declared("parts", {})
KEPT = timedelta(days=30)


class Incidents:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def add(self, step: Step) -> bool:
        """False: about this there is an open one."""
        incident, said = step
        try:
            self._kept.insert(incident.id, _doc(incident), said)
        except Taken:
            return False
        return True

    def move(self, id: str, decide: Callable[[Incident], Step | None], fence: int | None = None) -> Incident | None:
        """None: it is left as it is, or is closed, or a newer leader has it. NotFound."""

        def change(doc: Doc) -> tuple[Doc, list[Message]] | None:
            before = Incident.model_validate({**doc, "id": id})
            if before.closed or (fence is not None and before.fence > fence):
                return None
            decided = decide(before)
            return None if decided is None else ({**doc, **_doc(decided[0])}, list(decided[1]))

        stored = self._kept.change(id, change)
        return None if stored is None else Incident.model_validate({**stored, "id": id})

    def acknowledge(self, id: str, decide: Callable[[Incident], Step]) -> Incident:
        """Also of one that is closed. NotFound."""

        def change(doc: Doc) -> tuple[Doc, list[Message]]:
            incident, said = decide(Incident.model_validate({**doc, "id": id}))
            return {**doc, **_doc(incident)}, list(said)

        return Incident.model_validate({**(self._kept.change(id, change) or {}), "id": id})

    def get(self, id: str) -> Incident:
        """NotFound."""
        doc = self._kept.get(id)
        if doc is None:
            raise NotFound(f"No incident {id}; GET /api/v1/incidents lists those of the last {KEPT.days} days.")
        return Incident.model_validate({**doc, "id": id})

    def open(self) -> list[Incident]:
        return [Incident.model_validate(doc) for doc in self._kept.find({"state": "open"}, sort="opened", down=True, limit=500)]

    def closed(self, limit: int) -> list[Incident]:
        return [Incident.model_validate(doc) for doc in self._kept.find({"state": "closed"}, sort="opened", down=True, limit=limit)]

    def of_part(self, part: tuple[str, str]) -> list[Incident]:
        """The newest of one subsystem and role."""
        where = {"subsystem": part[0], "role": part[1]}
        return [Incident.model_validate(doc) for doc in self._kept.find(where, sort="opened", down=True, limit=20)]

    def forget(self, now: datetime) -> None:
        for doc in self._kept.find({"state": "closed", "opened": ("<", text_of(now - KEPT))}, limit=200):
            self._kept.delete(doc["id"])


class Parts:
    """Which replicas each part had when that was last written down: one document a part. Written by the one that leads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def all(self) -> Expected:
        found = self._documents.find({}, limit=1000)
        return {(f.doc["subsystem"], f.doc["role"]): tuple((r[0], r[1], r[2]) for r in f.doc["replicas"]) for f in found}

    def put(self, part: tuple[str, str], ran: Sequence[Ran]) -> None:
        """Of none there is no document."""
        id = ".".join(part)
        if not ran:
            self._documents.delete(id)
            return
        doc = {"subsystem": part[0], "role": part[1], "replicas": [list(one) for one in ran]}
        found = self._documents.get(id)
        if found is None:
            self._documents.insert(id, doc)
        else:
            self._documents.replace(id, found.version, doc)


def _doc(incident: Incident) -> Doc:
    open = incident.closed is None
    facts = {"opened": text_of(incident.opened), "state": "open" if open else "closed", "about": incident.about if open else None}
    return incident.model_dump(mode="json") | facts
