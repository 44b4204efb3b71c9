"""PostgreSQL 15 from Debian: readings, log lines and, without MONGO_URL, documents."""

from __future__ import annotations

from bootstrapper.declared import Backing

BACKING = Backing(
    name="postgres",
    setting="POSTGRES_URL",
    uid=10002,
    memory=640,
    port=5432,
    files=("start.sh",),
    secrets={"postgres": "postgres"},
)
