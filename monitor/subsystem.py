"""Hears heartbeats and answers which replicas are alive."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.subsystem import Subsystem
from contracts.messages import Beat
from monitor.model import Heard, heard


class Monitor:
    """Beats are kept in memory only: a monitor that starts anew hears every living replica again within a second."""

    def __init__(self, backbone: Backbone) -> None:
        self._clock = backbone.clock
        self.known: dict[str, Heard] = {}

    def beat(self, beat: Beat) -> None:
        self.known = heard(self.known, beat, self._clock.now())


def build(backbone: Backbone) -> Subsystem:
    from monitor.api import api

    monitor = Monitor(backbone)
    return Subsystem(backbone, handlers={Beat: monitor.beat}, api=api(backbone, monitor))
