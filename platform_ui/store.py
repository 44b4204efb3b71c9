"""Browser sessions and findings of refused uploads. A cookie's secret is never stored, only its digest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backbone.backbone import Backbone
from backbone.clock import moment_of, text_of
from backbone.documents import Declared, Doc, Found
from backbone.tokens import new_secret, secret_digest

SESSIONS = Declared("ui_sessions", {"until": str})
FINDINGS = Declared("ui_findings", {"until": str})
LASTS = timedelta(hours=12)
READABLE = timedelta(days=1)
BATCH = 100
LARGEST = 600_000


@dataclass(frozen=True)
class Person:
    """Who is logged in, in which workspace they look ("" is all of them), and what their forms must carry."""

    session: str
    username: str
    name: str
    roles: tuple[str, ...]
    workspaces: tuple[dict[str, str], ...]
    workspace: str
    own: str
    csrf: str = field(repr=False)

    @property
    def reads(self) -> bool:
        """Whether devices and builds are shown."""
        return not {"admin", "operator", "developer"}.isdisjoint(self.roles)

    def may(self, level: str, workspace: str) -> bool:
        """Only decides what is shown: the API decides what is done."""
        mine = {w["name"]: w["role"] for w in self.workspaces}.get(workspace, "")
        if "admin" in self.roles:
            return True
        if level == "read":
            return bool(mine) or "operator" in self.roles
        return "developer" in self.roles and mine in ("owner", "member")


def csrf_of(secret: str) -> str:
    return secret_digest("csrf:" + secret)


class Store:
    def __init__(self, backbone: Backbone) -> None:
        self._clock = backbone.clock
        self._sessions = backbone.documents.collection(SESSIONS)
        self._findings = backbone.documents.collection(FINDINGS)

    def open(self, told: dict[str, Any]) -> str:
        """A session from what POST /session answered; gives the cookie's new secret."""
        secret, now, user = new_secret(), self._clock.now(), told["user"]
        own = user.get("workspace") or user["username"]
        staff = not {"admin", "operator"}.isdisjoint(user["roles"])
        facts = {
            "username": user["username"],
            "name": user.get("name", ""),
            "roles": list(user["roles"]),
            "workspaces": [{"name": w["name"], "role": w["role"]} for w in user["workspaces"]],
            "own": own,
            "workspace": "" if staff else own,
            "until": text_of(now + LASTS),
        }
        self._sessions.insert(secret_digest(secret), facts | _tokens(told, now))
        return secret

    def person(self, secret: str) -> Person | None:
        found = self._sessions.get(secret_digest(secret)) if secret else None
        if found is None or moment_of(found.doc["until"]) <= self._clock.now():
            return None
        doc = found.doc
        return Person(
            session=found.id,
            username=doc["username"],
            name=doc["name"],
            roles=tuple(doc["roles"]),
            workspaces=tuple(doc["workspaces"]),
            workspace=doc["workspace"],
            own=doc["own"],
            csrf=csrf_of(secret),
        )

    def session(self, id: str) -> Found | None:
        return self._sessions.get(id)

    def look_at(self, id: str, workspace: str) -> None:
        self._sessions.update_if(id, {}, {"workspace": workspace})

    def claim(self, found: Found, until: datetime) -> bool:
        """A refresh token counts once, so only one of all replicas may use it."""
        return self._sessions.replace(found.id, found.version, found.doc | {"claimed": text_of(until)})

    def renewed(self, id: str, told: dict[str, Any]) -> None:
        self._sessions.update_if(id, {}, _tokens(told, self._clock.now()))

    def end(self, id: str) -> None:
        self._sessions.delete(id)

    def keep_finding(self, session: str, facts: dict[str, Any]) -> str:
        """Why an upload was refused, for its page."""
        id = self._clock.new_id()
        text = json.dumps(facts)
        if len(text) > LARGEST:
            text = json.dumps(facts | {"manifest": ""})
        until = text_of(self._clock.now() + READABLE)
        self._findings.insert(id, {"session": session, "until": until, "facts": text})
        return id

    def finding(self, session: str, id: str) -> dict[str, Any] | None:
        found = self._findings.get(id)
        if found is None or found.doc["session"] != session:
            return None
        facts: dict[str, Any] = json.loads(found.doc["facts"])
        return facts

    def forget(self) -> None:
        """What is over."""
        now = text_of(self._clock.now())
        for documents in (self._sessions, self._findings):
            for found in documents.find({"until": ("<", now)}, limit=BATCH):
                documents.delete(found.id)


def _tokens(told: dict[str, Any], now: datetime) -> Doc:
    fresh = text_of(now + timedelta(seconds=told["expires_in"]))
    return {"access": told["access_token"], "refresh": told["refresh_token"], "fresh": fresh, "claimed": ""}
