"""Log lines of apps, builds, subsystems and backing services.

Owns:   the lines, kept for some days.
Hears:  the records of the topic `lines`.
Says:   nothing.
Serves: GET /lines, GET /lines/counts, GET /lines/events.
"""
