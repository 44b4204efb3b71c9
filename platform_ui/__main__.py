"""`python -m platform_ui`."""

from __future__ import annotations

from backbone.backbone import Backbone
from platform_ui.subsystem import build

if __name__ == "__main__":
    build(Backbone.from_environment("platform_ui")).run()
