"""Who one is: login, logout, whoami, workspaces."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import here, show
from cli.client import Wire
from cli.context import Context, Contexts, config, home
from cli.failure import Failure
from cli.options import At, Json
from cli.session import address, connect, log_in


def login(
    url: Annotated[str, typer.Argument(help="The platform's address; without it the only installation of this machine.")] = "",
    ca: Annotated[Path | None, typer.Option("--ca", help="Its certificate authority, a PEM file.")] = None,
    username: Annotated[str, typer.Option("--username", "-u", help="Asked for where it is not given.")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard in.")] = False,
    json: Json = False,
) -> None:
    """Log in; later verbs use this platform until another login or a logout."""
    local = here.by_url(home(), address(url)) if url else here.only(home())
    where = address(url) if url else local.url if local else ""
    contexts = Contexts(config())
    before = contexts.get(where)
    pem = _pem(ca) if ca else local.ca if local else before.ca if before else ""
    wire = Wire(where, pem)
    context = log_in(wire, Context(where, pem), username or _asked("Username"), _password(password_stdin))
    with contexts.locked():
        contexts.keep(context, current=True)
    if json:
        show.json({"url": where, "username": context.username})
    else:
        show.say(f"Logged in at {where} as {context.username}.")


def logout(at: At = "", json: Json = False) -> None:
    """End the session, here and on the platform."""
    contexts = Contexts(config())
    platform = connect(at)
    context = platform.context
    if context.access_token:
        try:
            platform.delete("/session")
        except Failure as failure:
            if failure.status not in (401, 404):
                raise
    with contexts.locked():
        contexts.drop(context.key)
    if json:
        show.json({"url": context.url, "logged_out": bool(context.access_token)})
    else:
        show.say(f"Logged out of {context.url}." if context.access_token else "Nobody was logged in.")


def whoami(at: At = "", json: Json = False) -> None:
    """Your name, roles and workspaces, and on which platform."""
    platform = connect(at)
    me = platform.get("/me")
    if json:
        show.json({**me, "url": platform.context.url})
        return
    spaces = ", ".join(f"{w['name']} ({w['role']})" for w in me["workspaces"])
    show.line(f"{me['username']} ({me['name']}) at {platform.context.url}")
    show.line(f"roles: {', '.join(me['roles']) or 'none'}")
    show.line(f"workspaces: {spaces or 'none'}")


def workspaces(at: At = "", json: Json = False) -> None:
    """The workspaces you may see."""
    found = connect(at).items("/workspaces")
    if json:
        show.json({"items": found})
        return
    show.table(("name", "role", "kind", "owner"), [(w["name"], w["role"], w["kind"], w["owner"]) for w in found], "No workspaces.")


def _pem(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"The CA cannot be read from {file}: {error}.", "It is a PEM file, like ca.crt of the installation.") from error


def _asked(what: str, hide: bool = False) -> str:
    if not sys.stdin.isatty():
        raise Failure(f"{what} is asked for, and there is no terminal.", "Give --username and --password-stdin.", code=2)
    return str(typer.prompt(what, hide_input=hide, err=True))


def _password(stdin: bool) -> str:
    password = sys.stdin.readline().rstrip("\r\n") if stdin else _asked("Password", hide=True)
    if not password:
        raise Failure("The password is empty.", "Give it on standard in: berth login URL --password-stdin < file", code=2)
    return password
