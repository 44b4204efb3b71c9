"""`python -m deployer`: the process."""

from __future__ import annotations

from backbone.backbone import Backbone
from deployer.subsystem import build

if __name__ == "__main__":
    build(Backbone.from_environment("deployer")).run()
