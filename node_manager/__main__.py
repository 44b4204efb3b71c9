"""`python -m node_manager api` or `python -m node_manager agent`."""

from __future__ import annotations

import sys

from backbone.backbone import Backbone


def main(role: str) -> None:
    backbone = Backbone.from_environment("node_manager", role)
    if role == "agent":
        from node_manager import subsystem_agent

        subsystem_agent.build(backbone).run()
    elif role == "api":
        from node_manager import subsystem

        subsystem.build(backbone).run()
    else:
        sys.exit("python -m node_manager api | agent")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
