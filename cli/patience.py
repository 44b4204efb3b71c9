"""Asking once more, where a replica's change may have cost the answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.client import BROKEN, Reply
from cli.failure import Failure

PAUSES = (0.3, 0.7, 1.5, 3.0, 4.0)


def patient(ask: Callable[[], Reply], also_broken: bool) -> Reply:
    """The last answer; 503 is asked again, and with `also_broken` a line that broke, which only what may count twice can bear."""
    for wait in PAUSES:
        try:
            reply = ask()
            if reply.status != 503:
                return reply
        except Failure as failure:
            if failure.problem["title"] != BROKEN or not also_broken:
                raise
        pause(wait)
    return ask()


def pause(seconds: float) -> None:
    time.sleep(seconds)
