"""Runs the host's programs so that none outlives us, and tells apart what failed and why."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

OWN_WORLD = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")


class Failed(Exception):
    """A step could not do its work: `cause` says why, `mend` which command helps."""

    def __init__(self, cause: str, mend: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.mend = mend


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG fires when the starting *thread* ends, so that thread waits for its child; with OWN_WORLD it
    # takes the child's children along
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


def sh(
    *words: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
    heavy: bool = False,
    nice: bool = False,
    feed: str | None = None,
) -> str:
    """Run one program, give back what it printed; `heavy` ones take all they started along when we die."""
    args = [str(word) for word in words]
    full = [*(("nice", "-n", "5") if nice else ()), *(OWN_WORLD if heavy else ()), *args]
    done = subprocess.run(
        full,
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        input=feed if feed is not None else None,
        stdin=None if feed is not None else subprocess.DEVNULL,
        preexec_fn=_die_with_parent,
    )
    if check and done.returncode:
        raise Failed(
            f"`{' '.join(args)[:200]}` ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:].strip()}"
        )
    return done.stdout.strip()
