"""`python -m gateway` runs the subsystem; `python -m gateway render …` writes HAProxy's folder before HAProxy's first start."""

from __future__ import annotations

import sys

from gateway.render import command


def run() -> None:
    from backbone.backbone import Backbone
    from gateway.subsystem import build

    build(Backbone.from_environment("gateway")).run()


if __name__ == "__main__":
    if sys.argv[1:2] == ["render"]:
        command(sys.argv[2:])
    else:
        run()
