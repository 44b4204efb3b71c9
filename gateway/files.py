"""Files that HAProxy reads when it starts: written aside and renamed, so that it never meets half of one."""

from __future__ import annotations

import os
from pathlib import Path


def replace(file: Path, text: str, mode: int = 0o644) -> None:
    aside = file.with_name(file.name + ".new")
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    aside.write_text(text)
    aside.chmod(mode)
    os.replace(aside, file)
