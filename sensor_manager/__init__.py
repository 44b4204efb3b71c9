"""Sensors: what there is, where it is, what it says, and who may hear it.

Owns:   kinds, places, devices with their sensors, bindings, readings.
Hears:  BindSensors, UnbindSensors; readings on the topic `readings`.
Says:   SensorsBound, SensorsShort; readings on the topics `readings` (intake) and `streams` (router).
Serves: /kinds /places /devices /sensors /readings (role api), POST /readings (role intake), /streams (role streams);
        the role storage writes readings into PostgreSQL.
"""
