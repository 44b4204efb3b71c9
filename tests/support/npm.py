"""What tests take from npm: fetched once into the checkout's ignored folders, by the lock files; skipped where there is no npm."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from platform_ui import vendor

ROOT = Path(__file__).parents[2]


def pages() -> None:
    """The files that the pages load, where the image build puts them."""
    target = vendor.HERE / "static" / "vendor"
    wanted = [target / Path(file).name for file in vendor.FILES] + [target / "icons" / f"{name}.svg" for name in vendor.icons()]
    if not all(path.is_file() for path in wanted):
        vendor.fill(modules(ROOT))


def axe() -> str:
    """The source of axe-core, which finds what is hard to reach on a page."""
    return (modules(ROOT / "tests/browser") / "axe-core/axe.min.js").read_text()


def modules(folder: Path) -> Path:
    """node_modules by the folder's lock."""
    found = folder / "node_modules"
    lock, done = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return found
    npm = shutil.which("npm")
    if npm is None:
        (pytest.fail if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip)("npm is not here: install it, or run `./berth up` once")
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=300)
    return found
