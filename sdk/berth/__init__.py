"""What an app on Berth imports: the sensors that it is bound to, and its heartbeat. Standard library only.

    from berth import sensors

    for reading in sensors("temperature").stream():
        print(reading.place, reading.value, reading.unit)

The platform puts its address and the app's own token into each instance; there is nothing to configure.
"""

from __future__ import annotations

from berth.errors import BerthError, NotBound, NotOnBerth, Refused, Unavailable
from berth.life import heartbeat
from berth.readings import Bucket, History, Reading, Sensor, Sensors, needs, sensors

__all__ = [
    "BerthError", "Bucket", "History", "NotBound", "NotOnBerth", "Reading", "Refused", "Sensor", "Sensors", "Unavailable",
    "heartbeat", "needs", "sensors",
]  # fmt: skip
