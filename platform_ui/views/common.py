"""What every view needs: the site, who looks, the API for them, a page in the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from flask import current_app, g, make_response, redirect, render_template, request

from contracts.errors import Forbidden, Invalid, NotFound, Refused
from platform_ui.asking import Api, hidden
from platform_ui.overview import Overview
from platform_ui.platform_seen import PlatformSeen
from platform_ui.site import Site
from platform_ui.store import Person

SAID = "berth-said"


@dataclass(frozen=True)
class Note:
    tone: str
    text: str


@dataclass(frozen=True)
class Fault:
    """A problem of a form's field; `field` is the id of its input."""

    field: str
    label: str
    rule: str
    hint: str = ""


@dataclass(frozen=True)
class Faults:
    title: str
    problems: tuple[Fault, ...] = ()


def site() -> Site:
    return cast(Site, current_app.extensions["ui"])


def person() -> Person:
    found: Person | None = g.person
    if found is None:
        raise Refused("Log in first.")
    return found


def api() -> Api:
    return site().api(person())


def overview() -> Overview:
    return Overview(api(), site().kinds, bool({"developer", "admin"} & set(person().roles)))


def is_staff() -> bool:
    return not {"admin", "operator"}.isdisjoint(person().roles)


def platform() -> PlatformSeen:
    """The platform as its staff see it; others do not."""
    if not is_staff():
        raise Forbidden("The platform’s own parts are for operators and administrators.")
    return site().platform(person())


def page(template: str, section: str, **facts: Any) -> Any:
    """The template in the frame, with what the page before left to say."""
    said = request.cookies.get(SAID, "")
    notes = [Note("ok", NOTES[said])] if said in NOTES else []
    open_incidents = platform().open_incidents() if is_staff() else 0
    frame = {"section": section, "spaces": spaces(), "notes": notes, "open_incidents": open_incidents}
    response = make_response(render_template(template, **frame, **facts))
    if said:
        response.delete_cookie(SAID)
    return response


NOTES = {
    "stopped": "Stopping: what serves drains first, then its instances go.",
    "scaled": "Asked for: the new instances start beside the old ones, which serve until they are healthy.",
    "started": "Asked for once more, as it was.",
    "destroyed": "Destroyed. Its releases are kept and can be deployed again.",
    "acknowledged": "Acknowledged: the others see that you have seen it. It stays open until it is over.",
    "deleted": "The device is gone: its token counts no more, its readings stay.",
}


def after(address: str, said: str = "") -> Any:
    """To another page, which then says one of NOTES."""
    response = redirect(address, 303)
    if said:
        response.set_cookie(SAID, said, max_age=60, secure=site().guard.secure, httponly=True, samesite="Lax")
    return response


def spaces() -> list[dict[str, str]]:
    """The workspaces one may switch to; staff may look at all of them."""
    who = person()
    mine = {w["name"]: w["role"] for w in who.workspaces}
    staff = is_staff()
    others = [w["name"] for w in hidden(api().items, "workspaces", empty=[])] if staff else []
    names = [*mine, *(name for name in others if name not in mine)]
    every = [{"name": "", "shown": "All workspaces", "role": ""}] if staff else []
    return every + [{"name": name, "shown": name, "role": mine.get(name, "")} for name in names]


def looked_at() -> list[str]:
    """The workspaces whose things a list shows; who only opens apps sees those of all their workspaces."""
    one = person().workspace if person().reads else ""
    return [one] if one else [w["name"] for w in spaces() if w["name"]]


def working_in() -> str:
    """Where something new belongs."""
    return person().workspace or person().own


def faults(error: Invalid, labels: dict[str, str]) -> tuple[Fault, ...]:
    """Each problem with the field that it is of."""
    return tuple(Fault(_id(p.path), labels.get(p.path, p.path), p.rule, p.hint) for p in error.problems)


def _id(path: str) -> str:
    return "f-" + path.removeprefix("body.").replace(".", "-")


def need(value: Any, what: str) -> Any:
    if value is None:
        raise NotFound(f"{what} is not there, or not yours to know of.")
    return value
