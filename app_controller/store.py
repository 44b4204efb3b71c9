"""Keeps apps, releases and deployments, each with what it still has to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from app_controller.model import Deployment, Moved
from backbone.backbone import Backbone
from backbone.clock import text_of
from backbone.documents import Declared, Doc
from backbone.due import Due
from contracts.errors import NotFound, Taken
from contracts.message import Message
from contracts.states import Build

APPS = Declared("apps", {"workspace": str, "name": str}, (("workspace", "name"),))
RELEASES = Declared(
    "releases",
    {"workspace": str, "app": str, "digest": str, "created": str},
    (("workspace", "app", "digest"),),
)
DEPLOYMENTS = Declared(
    "deployments",
    {"workspace": str, "name": str, "app": str, "release": str, "state": float, "due": str},
    (("workspace", "name"),),
)


class Store:
    def __init__(self, backbone: Backbone) -> None:
        self._apps = backbone.kept(APPS)
        self._releases = backbone.kept(RELEASES)
        self._deployments = backbone.kept(DEPLOYMENTS)
        self._due = Due(self._deployments)
        self._clock = backbone.clock

    # -- apps and releases ------------------------------------------------------------------------------------------------

    def remember_release(self, release: Doc, message: Message) -> Doc:
        """The release as it is kept: an upload of the same bytes gives the first one."""
        same = self._releases.find({k: release[k] for k in ("workspace", "app", "digest")}, limit=1)
        if same:
            return same[0]
        try:
            self._apps.insert(self._clock.new_id(), {k: release[k] for k in ("workspace", "created")} | {"name": release["app"]})
        except Taken:
            pass
        try:
            self._releases.insert(release["id"], release, [message])
        except Taken:
            return self.remember_release(release, message)
        return release

    def release(self, id: str) -> Doc:
        found = self._releases.get(id)
        if found is None:
            raise NotFound(f"No release {id}.")
        return found | {"id": id}

    def move_release(self, id: str, change: Callable[[Doc], Doc | None]) -> Doc | None:
        """None: nothing changed, or the release is not there any more."""

        def decide(doc: Doc) -> tuple[Doc, Sequence[Message]] | None:
            new = change(doc)
            return None if new is None else (new, ())

        try:
            return self._releases.change(id, decide)
        except NotFound:
            return None

    def releases(self, workspaces: Sequence[str] | None, app: str = "", most: int = 200) -> list[Doc]:
        """The newest first; None: of every workspace."""
        found: list[Doc] = []
        for where in _each(workspaces, app):
            found += self._releases.find(where, sort="created", down=True, limit=most)
        return sorted(found, key=lambda r: (r["created"], r["id"]), reverse=True)[:most]

    def apps(self, workspaces: Sequence[str] | None) -> list[Doc]:
        return [a for where in _each(workspaces) for a in self._apps.find(where, sort="name", limit=500)]

    # -- deployments ------------------------------------------------------------------------------------------------------

    def add(self, d: Deployment, messages: Sequence[Message]) -> None:
        """Taken: the workspace has a deployment of this name."""
        self._deployments.insert(d.id, _doc(d), messages)
        self._due.changed()

    def change(self, id: str, decide: Callable[[Deployment], Moved | None]) -> Deployment | None:
        """None: nothing changed, or the deployment is not there any more."""

        def on_doc(doc: Doc) -> tuple[Doc, Sequence[Message]] | None:
            moved = decide(_deployment(doc))
            return None if moved is None else (_doc(moved[0]), moved[1])

        try:
            doc = self._deployments.change(id, on_doc)
        except NotFound:
            return None
        self._due.changed()
        return None if doc is None else _deployment(doc)

    def deployment(self, id: str) -> Deployment:
        doc = self._deployments.get(id)
        if doc is None:
            raise NotFound(f"No deployment {id}.")
        return _deployment(doc)

    def named(self, workspace: str, name: str) -> Deployment | None:
        found = self._deployments.find({"workspace": workspace, "name": name}, limit=1)
        return _deployment(found[0]) if found else None

    def deployments(self, workspaces: Sequence[str] | None, app: str = "") -> list[Deployment]:
        return [_deployment(d) for where in _each(workspaces, app) for d in self._deployments.find(where, sort="name", limit=500)]

    def of_release(self, release: str) -> list[Deployment]:
        return [_deployment(d) for d in self._deployments.find({"release": release}, limit=500)]

    def due(self, now: datetime) -> list[Deployment]:
        return [_deployment(d) for d in self._due.now(now)]

    def forget(self, id: str) -> None:
        self._deployments.delete(id)


def _each(workspaces: Sequence[str] | None, app: str = "") -> list[dict[str, str]]:
    more = {"app": app} if app else {}
    return [more] if workspaces is None else [{"workspace": w} | more for w in workspaces]


def _doc(d: Deployment) -> Doc:
    """The record as text: a person's environment names and places may hold what keys of a document must not."""
    due = d.wanted.deadline
    return {
        "workspace": d.workspace,
        "name": d.name,
        "app": d.app,
        "release": d.release.id,
        "state": d.wanted.state,
        "due": text_of(due) if due else None,
        "correlation": d.correlation,
        "record": d.model_dump_json(),
    }


def _deployment(doc: Doc) -> Deployment:
    return Deployment.model_validate_json(doc["record"])


def release_doc(facts: dict[str, Any], manifest: dict[str, Any]) -> Doc:
    """`manifest` as text, for the same reason."""
    return facts | {"manifest": json.dumps(manifest), "state": int(Build.ACCEPTED), "reason": "", "hint": ""}
