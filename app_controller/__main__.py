"""Runs the app controller."""

from app_controller.subsystem import build
from backbone.backbone import Backbone

if __name__ == "__main__":
    build(Backbone.from_environment("app_controller")).run()
