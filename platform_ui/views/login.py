"""Log in, log out. The session's cookie is made at the login: what was there before counts no more."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request

from backbone.logs import get_log
from backbone.tokens import new_secret
from contracts.errors import BerthError, Invalid, Refused, TooMany, Unavailable
from platform_ui.model import ago
from platform_ui.store import csrf_of
from platform_ui.views.common import site

log = get_log()
pages = Blueprint("login", __name__)


@pages.get("/login")
def ask() -> Any:
    if g.person is not None:
        return redirect(back_to(request.args.get("next", "")), 303)
    return _form()


@pages.post("/login")
def enter() -> Any:
    """Wrong says nothing of which part. Forged or stale forms are shown again."""
    here, form = site(), request.form
    first = request.cookies.get(here.guard.first_cookie, "")
    if not first or not hmac.compare_digest(form.get("first", "").encode(), csrf_of(first).encode()):
        return _form(form.get("username", ""), "warn", "The form was too old.", "Nothing was sent on; log in again.", 403)
    try:
        told = _session(form.get("username", "").strip(), form.get("password", ""))
    except TooMany as error:
        more = f"After too many tries there is a pause; try again in {ago(max(1.0, error.wait))}."
        return _form(form.get("username", ""), "warn", "Too many tries.", more, 429)
    except (Refused, Invalid):
        return _form(form.get("username", ""), "bad", "Name or password is wrong.", "Both are as in your directory.", 401)
    except Unavailable as error:
        return _form(form.get("username", ""), "warn", "Nobody can log in just now.", error.detail, 503)
    _forget()
    response = redirect(back_to(form.get("next", "")), 303)
    response.set_cookie(here.guard.cookie, here.store.open(told), secure=here.guard.secure, httponly=True, samesite="Lax", path="/")
    response.delete_cookie(here.guard.first_cookie, path="/", secure=here.guard.secure, httponly=True, samesite="Lax")
    return response


@pages.post("/logout")
def leave() -> Any:
    """Here and at the API: the bearer tokens of this session count no more."""
    here = site()
    if g.person is not None and hmac.compare_digest(request.form.get("csrf", "").encode(), g.person.csrf.encode()):
        try:
            here.backbone.peers.delete("/session", token=here.tokens.of(g.person.session)).check()
        except BerthError as error:
            log.info("logout_not_told", reason=error.detail)
        _forget()
    response = redirect("/login", 303)
    response.delete_cookie(here.guard.cookie, path="/", secure=here.guard.secure, httponly=True, samesite="Lax")
    return response


def _session(username: str, password: str) -> Any:
    if not username or not password:
        raise Refused("Name and password are both needed.")
    return site().backbone.peers.post("/session", {"username": username, "password": password}, token="").check().json


def _forget() -> None:
    if g.person is not None:
        site().store.end(g.person.session)


def back_to(wanted: str) -> str:
    """Only a path of this very site."""
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\n" not in wanted else "/"


def _form(username: str = "", tone: str = "", title: str = "", more: str = "", status: int = 200) -> Any:
    guard, first = site().guard, new_secret()
    note = {"tone": tone, "title": title, "more": more} if title else None
    wanted = request.values.get("next", "")
    page = render_template("login.html", username=username, note=note, first=csrf_of(first), next=wanted)
    response = make_response(page, status)
    response.set_cookie(guard.first_cookie, first, max_age=3600, secure=guard.secure, httponly=True, samesite="Lax", path="/")
    return response
