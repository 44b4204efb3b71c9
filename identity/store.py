"""Keeps sessions, issued tokens and workspaces, each change with the revocations it causes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backbone.backbone import Backbone
from backbone.clock import text_of
from backbone.documents import Declared, Doc
from contracts.errors import Taken, Unavailable
from contracts.messages import TokenRevoked
from identity.model import Session, personal_names

SESSIONS = Declared("sessions", {"username": str, "until": str})
TOKENS = Declared("tokens", {"subject": str, "until": str})
WORKSPACES = Declared("workspaces", {"owner": str, "kind": str}, (("owner",),))

Decide = Callable[[Session], "tuple[Session, Sequence[TokenRevoked]] | None"]


class Store:
    def __init__(self, backbone: Backbone) -> None:
        self._clock = backbone.clock
        self._sessions, self._tokens = backbone.kept(SESSIONS), backbone.kept(TOKENS)
        self._workspaces = backbone.kept(WORKSPACES)

    def open(self, id: str, session: Session) -> None:
        self._sessions.insert(id, _doc(session))

    def session(self, id: str) -> Session | None:
        doc = self._sessions.get(id) if id else None
        return None if doc is None else Session.model_validate(doc)

    def change(self, id: str, decide: Decide) -> None:
        """NotFound: there is no such session (any more)."""

        def on_doc(doc: Doc) -> tuple[Doc, Sequence[TokenRevoked]] | None:
            decided = decide(Session.model_validate(doc))
            return None if decided is None else (doc | _doc(decided[0]), decided[1])

        self._sessions.change(id, on_doc)

    def issued(self, jti: str, facts: dict[str, Any], until: str) -> None:
        self._tokens.insert(jti, {**facts, "until": until, "revoked": False})

    def revoke(self, jti: str) -> None:
        """NotFound: no such token. A second time changes nothing."""

        def decide(doc: Doc) -> tuple[Doc, Sequence[TokenRevoked]] | None:
            if doc["revoked"]:
                return None
            return doc | {"revoked": True}, [TokenRevoked(jti=jti, expires=doc["until"])]

        self._tokens.change(jti, decide)

    def personal(self, username: str) -> str:
        """The person's own workspace, made where there is none."""
        for name in personal_names(username):
            try:
                self._workspaces.insert(name, {"owner": username, "kind": "personal", "created": self._now()})
            except Taken:
                mine = self._workspaces.find({"owner": username}, limit=1)
                if mine:
                    return str(mine[0]["id"])
                continue
            return name
        raise Unavailable(f"Both names for the workspace of {username} are taken; ask an administrator.")

    def team(self, name: str) -> None:
        """A workspace that came from the directory; the first of its members to log in makes it."""
        if self._workspaces.get(name) is None:
            try:
                self._workspaces.insert(name, {"kind": "team", "created": self._now()})
            except Taken:
                return

    def workspaces(self, names: Sequence[str] | None) -> list[Doc]:
        """Those that are there of these; None: all."""
        if names is None:
            return self._workspaces.find({}, limit=1000)
        found = ((name, self._workspaces.get(name)) for name in names)
        return [doc | {"id": name} for name, doc in found if doc is not None]

    def forget(self) -> None:
        """A few of what is over, so that nothing grows for ever."""
        for kept in (self._sessions, self._tokens):
            for doc in kept.find({"until": ("<", self._now())}, "until", limit=100):
                kept.delete(doc["id"])

    def _now(self) -> str:
        return text_of(self._clock.now())


def _doc(session: Session) -> Doc:
    return session.model_dump(mode="json") | {"until": text_of(session.expires)}
