"""`berth init`: a first app that works at once, with a manifest that explains itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from cli import show
from cli.failure import Failure
from cli.options import Json
from contracts.manifest import FILE

TEMPLATE = Path(__file__).parent / "template"
EXAMPLE = Path(__file__).parents[1] / "contracts" / "examples" / FILE


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; its name becomes the app's.")] = Path("."),
    json: Json = False,
) -> None:
    """Write berth.yml, app.py and requirements.txt; nothing that is there is overwritten."""
    given = [file for file in sorted(TEMPLATE.iterdir()) if file.is_file()]
    files = {FILE: manifest(app_name(folder)), **{file.name: file.read_text("utf-8") for file in given}}
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise Failure(f"{folder} holds {' and '.join(there)} already.", "Choose another folder: berth init DIR")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    if json:
        show.json({"folder": str(folder), "files": list(files), "name": app_name(folder)})
        return
    show.say(f"Wrote {', '.join(files)} to {folder}.")
    show.say(f"next: berth deploy {folder}", "cyan")


def app_name(folder: Path) -> str:
    """The folder's name as far as an app may be called so."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:40].strip("-")
    return name if name and name[0].isalpha() else f"app-{name}".strip("-")[:40]


def manifest(name: str) -> str:
    """The annotated example under this name; it starts also where no sensor is yet."""
    text = EXAMPLE.read_text("utf-8")
    text = re.sub(r"(?m)^name: \S+ *(?=#)", lambda m: f"name: {name}".ljust(len(m[0]) - 1) + " ", text)
    text = re.sub(r"(?m)^tags: \[[^]]*\] *(?=#)", lambda m: "tags: [first]".ljust(len(m[0]) - 1) + " ", text)
    return re.sub(r"(?m)^(\s+at_least:) 1\b", r"\1 0", text)
