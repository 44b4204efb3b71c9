"""Runs the monitor."""

from backbone.backbone import Backbone
from monitor.subsystem import build

if __name__ == "__main__":
    build(Backbone.from_environment("monitor")).run()
