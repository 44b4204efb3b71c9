"""Puts the logger together."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.http import api
from backbone.subsystem import Subsystem


def build(backbone: Backbone) -> Subsystem:
    return Subsystem(backbone=backbone, api=api("logger", (), backbone))
