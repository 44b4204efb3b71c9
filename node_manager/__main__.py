"""`python -m node_manager api` or `python -m node_manager agent`."""

from __future__ import annotations

import sys

from backbone.clock import SystemClock
from node_manager.guard import guarded


def main(role: str) -> None:
    if role == "agent":
        guarded(_agent, SystemClock())
    elif role == "api":
        from backbone.backbone import Backbone
        from node_manager import subsystem

        subsystem.build(Backbone.from_environment("node_manager", role)).run()
    else:
        sys.exit("python -m node_manager api | agent")


def _agent() -> None:
    """Imported here: the guard, which is forked off before, stays small."""
    from backbone.backbone import Backbone
    from node_manager import subsystem_agent

    subsystem_agent.build(Backbone.from_environment("node_manager", "agent")).run()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
