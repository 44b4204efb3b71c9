"""Runs identity."""

from backbone.backbone import Backbone
from identity.subsystem import build

if __name__ == "__main__":
    build(Backbone.from_environment("identity")).run()
