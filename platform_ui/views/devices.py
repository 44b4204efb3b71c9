"""Devices: the list, a new one, one with its values and history, its token."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from contracts.errors import BerthError, Invalid
from platform_ui import device_form, history
from platform_ui.asking import part
from platform_ui.views.common import Fault, Faults, after, api, faults, looked_at, overview, page, person, site, working_in

pages = Blueprint("devices", __name__)


@pages.get("/devices")
def listed() -> Any:
    return page("devices.html", "devices", devices=overview().devices(looked_at()), may=_may(), news="/news/devices")


@pages.get("/devices/new")
def ask() -> Any:
    return _form(device_form.Form(place=request.args.get("place", "")))


@pages.post("/devices/new")
def add() -> Any:
    form = device_form.read(request.form)
    try:
        made = api().post("devices", json=form.body(working_in()))
    except Invalid as error:
        return _form(form, Faults("The device was not added.", faults(error, form.labels()))), 422
    except BerthError as error:
        if error.status >= 500:
            raise
        return _form(form, Faults("The device was not added.", (Fault("f-name", "Name", error.detail),))), error.status
    return _once(made, made["token"])


@pages.get("/devices/<device>")
def one(device: str) -> Any:
    shown = _said(api().get("devices", device))
    may = person().may("write", shown["workspace"])
    return page("device.html", "devices", d=shown, may=may, **_history(shown), news=f"/news/devices/{device}")


@pages.post("/devices/<device>/token")
def rotate(device: str) -> Any:
    token = api().post("devices", device, "token")["token"]
    return _once(_said(api().get("devices", device)), token)


@pages.post("/devices/<device>/delete")
def remove(device: str) -> Any:
    api().delete("devices", device)
    return after("/devices", "deleted")


def _said(shown: dict[str, Any]) -> dict[str, Any]:
    return shown | {"latest": site().kinds.said(api(), shown["workspace"], shown["latest"])}


def _once(shown: dict[str, Any], token: str) -> Any:
    """The only page that ever shows the token; it is not kept, nor cached."""
    facts = {"latest": []} | shown
    return page(
        "device.html", "devices", d=facts, token=token, may=True, public=site().public, **_history(facts),
        news=f"/news/devices/{shown['id']}",
    )  # fmt: skip


def _history(shown: dict[str, Any]) -> dict[str, Any]:
    span = history.SPANS.get(request.args.get("span", "1h"), history.SPANS["1h"])

    def asked() -> list[Any]:
        return [
            api().get("readings", sensor=s["sensor"], workspace=shown["workspace"], since=span.since, bucket=span.bucket)
            for s in shown["sensors"][: history.MOST]
        ]

    told = part(asked, empty=[])
    now = site().backbone.clock.now()
    return {
        "charts": history.charts(shown, told.value, span, now), "sparks": history.sparks(told.value), "away": told.away,
        "span": span, "spans": list(history.SPANS.values()), "example": device_form.example(shown["sensors"]),
    }  # fmt: skip


def _form(form: device_form.Form, wrong: Faults | None = None) -> Any:
    kinds = api().items("kinds", workspace=working_in())
    places = part(api().items, "places", workspace=working_in(), empty=[])
    known = sorted({p["place"] for p in places.value})
    return page("device-new.html", "devices", form=form, kinds=kinds, known=known, faults=wrong, workspace=working_in())


def _may() -> bool:
    return person().may("write", working_in())
