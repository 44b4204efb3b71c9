"""Copies from node_modules exactly what the pages load. The image build calls it alone: `python platform_ui/vendor.py node_modules`."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = (
    "@tabler/core/dist/css/tabler.min.css",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
)
ICON = re.compile(r"""icon\(["']([a-z0-9-]+)["']\)""")


def icons() -> list[str]:
    """The names that the templates use."""
    return sorted({name for page in HERE.rglob("templates/**/*.html") for name in ICON.findall(page.read_text())})


def fill(modules: Path, target: Path = HERE / "static" / "vendor") -> list[Path]:
    """Made aside and renamed, so that a build broken off leaves nothing half."""
    aside = target.with_name("vendor.new")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "icons").mkdir(parents=True)
    outline = modules / "@tabler" / "icons" / "icons" / "outline"
    made = [Path(shutil.copyfile(modules / file, aside / Path(file).name)) for file in FILES]
    made += [Path(shutil.copyfile(outline / f"{name}.svg", aside / "icons" / f"{name}.svg")) for name in icons()]
    sheet = aside / "tabler.min.css"
    sheet.write_text(re.sub(r"/\*# sourceMappingURL=.*?\*/", "", sheet.read_text()))
    shutil.rmtree(target, ignore_errors=True)
    aside.rename(target)
    return made


if __name__ == "__main__":
    print(f"{len(fill(Path(sys.argv[1])))} files")
