"""Upload: a folder is packed, a zip taken as it is, and sent from the disk with progress."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from cli import show
from cli.failure import Failure
from cli.options import At, Json, Workspace
from cli.session import Platform, connect
from contracts import archive
from contracts.errors import Invalid
from contracts.manifest import FILE

What = Annotated[Path, typer.Argument(metavar="DIR|ZIP", help="The app's folder, or a zip of it.")]


def push(what: What = Path("."), at: At = "", workspace: Workspace = "", json: Json = False) -> None:
    """Upload an app; what is wrong with it is shown with its lines."""
    release = sent(connect(at), what, workspace, quiet=json)
    if json:
        show.json(release)
    else:
        show.line(release["id"])


def sent(platform: Platform, what: Path, workspace: str, quiet: bool) -> dict[str, Any]:
    """The release that the platform has made of it."""
    with packed(what) as (file, size), _progress(size, quiet) as told:
        status, release = platform.upload("/releases", file, size, {"workspace": workspace}, told)
    if not quiet:
        known = "" if status == 201 else ", the same bytes as before"
        show.say(f"{release['app']} {release['version']}, {size:,} bytes: release {release['id']}{known}")
        show.say(f"correlation id: {release['correlation'] or platform.trace}", "dim")
    return dict(release)


@contextmanager
def packed(what: Path) -> Iterator[tuple[BinaryIO, int]]:
    """An open file and its size; a folder's zip is a temporary file."""
    if what.is_file():
        with what.open("rb") as file:
            yield file, what.stat().st_size
        return
    if not what.is_dir():
        raise Failure(f"There is no {what}.", "Give the app's folder or a zip.")
    if not (what / FILE).is_file():
        raise Failure(f"{what.resolve()} holds no {FILE}.", f"berth init {what} writes one.")
    with tempfile.TemporaryFile() as file:
        try:
            archive.pack(what, file)
        except Invalid as error:
            raise Failure(error.detail, "", {"title": "Invalid", "errors": [p.model_dump() for p in error.problems]}) from error
        yield file, file.tell()


@contextmanager
def _progress(size: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=show.console(error=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=size)
        yield lambda sent: bar.advance(task, sent)
