"""python -m sensor_manager api | intake | storage | streams"""

from __future__ import annotations

import sys
from collections.abc import Callable

from backbone.backbone import Backbone
from backbone.subsystem import Subsystem
from sensor_manager import subsystem
from sensor_manager.intake import subsystem as intake
from sensor_manager.storage import subsystem as storage
from sensor_manager.streams import subsystem as streams

ROLES: dict[str, Callable[[Backbone], Subsystem]] = {
    "api": subsystem.build,
    "intake": intake.build,
    "storage": storage.build,
    "streams": streams.build,
}

if __name__ == "__main__":
    role = sys.argv[1] if len(sys.argv) > 1 else "api"
    if role not in ROLES:
        sys.exit(f"sensor_manager has no role {role!r}; it has {', '.join(ROLES)}.")
    ROLES[role](Backbone.from_environment("sensor_manager", role)).run()
