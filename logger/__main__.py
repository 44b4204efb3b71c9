"""Runs the logger."""

from backbone.backbone import Backbone
from logger.subsystem import build

if __name__ == "__main__":
    build(Backbone.from_environment("logger")).run()
