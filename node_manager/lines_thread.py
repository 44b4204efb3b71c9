"""The thread that carries lines, beside the agent's others."""

from __future__ import annotations

import threading
from pathlib import Path

from backbone.backbone import Backbone
from backbone.logs import get_log
from node_manager.lines import PAUSE, Shipper
from node_manager.lines_marks import Marks

log = get_log()


def shipper(backbone: Backbone, kept: bool) -> Shipper:
    """`kept`: its marks stand in the folder BERTH_KEEP, and outlive it."""
    folder = Path(backbone.settings.text("BERTH_KEEP")) if kept else None
    backbone.settings.check()
    containers, clock = backbone.containers, backbone.clock
    marks = Marks(folder, clock)
    return Shipper(containers.printed, backbone.records, marks, clock, backbone.installation, lambda: containers.node.machine().id)


class Lines:
    """The thread that lives in the shipper's rounds; `wake` when containers came or went."""

    def __init__(self, shipper: Shipper) -> None:
        self._shipper, self._wake = shipper, threading.Event()
        self._closing, self._changed, self._trouble = False, True, ""
        self._done = threading.Event()

    def wake(self) -> None:
        self._changed = True
        self._wake.set()

    def run(self) -> None:
        while not self._closing:
            self._wake.clear()
            changed, self._changed = self._changed, False
            try:
                wait = self._shipper.round(changed)
                self._trouble = self._shipper.trouble
            except Exception as error:  # a bug must not silence the node: seen in the log and in /ready, tried again
                log.exception("lines_failed")
                wait, self._trouble = PAUSE, f"carrying lines failed: {error!r}"
            if wait:
                self._wake.wait(wait)
        self._shipper.close(2.0)
        self._done.set()

    def ready(self) -> list[str]:
        return [self._trouble] if self._trouble else []

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        self._done.wait(3.0)
