"""The tables of lines: a partition a day, so that old days are dropped whole and new rows stay in small indexes."""

from __future__ import annotations

from datetime import timedelta

from backbone.tables.partitions import Cut

SCHEMA = "logger"
STAGING = "lines_staging"
LOCK = 0x6C6F_6767  # held while tables are made: IF NOT EXISTS alone is not safe against two at once
CUT = Cut(SCHEMA, "lines", "lines_%Y%m%d", timedelta(days=1), LOCK, unique=("source", "position"))

NAME = 'text COLLATE "C"'
TYPES = {
    "time": "timestamptz", "source": "int8", "position": "int8", "shard": "int2", "place": "int8", "kind": NAME, "level": "int2",
    "text": "text", "workspace": NAME, "app": NAME, "deployment": NAME, "generation": "int8", "release": NAME, "service": NAME,
    "instance": NAME, "node": NAME, "correlation": NAME, "facts": "text",
}  # fmt: skip
"""Columns in the order in which they are written and read. `source` is a number that stands for its name; `shard` and
`place` are where the line stood in the topic; `facts` is JSON, kept as text, so that what came is what is shown."""

COLUMNS = tuple(TYPES)
BINARY = ("int4", *(kind.split()[0] for kind in TYPES.values()))
ALL = ", ".join(COLUMNS)
_DECLARED = ", ".join(f"{name} {kind} NOT NULL" for name, kind in TYPES.items())

TABLES = (
    "CREATE SCHEMA IF NOT EXISTS logger",
    f"CREATE TABLE IF NOT EXISTS logger.lines ({_DECLARED}) PARTITION BY RANGE (time)",
    "CREATE INDEX IF NOT EXISTS lines_time ON logger.lines (time) INCLUDE (level)",
    "CREATE INDEX IF NOT EXISTS lines_bad ON logger.lines (time) INCLUDE (level) WHERE level >= 2",
    "CREATE INDEX IF NOT EXISTS lines_place ON logger.lines (shard, place)",
    "CREATE INDEX IF NOT EXISTS lines_service ON logger.lines (service, time)",
    *(
        f"CREATE INDEX IF NOT EXISTS lines_{name} ON logger.lines ({name}, time) WHERE {name} <> ''"
        for name in ("workspace", "deployment", "release", "instance", "correlation")
    ),
    """CREATE TABLE IF NOT EXISTS logger.sources (
        source bigint PRIMARY KEY, last bigint NOT NULL, seen timestamptz NOT NULL) WITH (fillfactor = 50)""",
    """CREATE TABLE IF NOT EXISTS logger.offsets (
        partition integer PRIMARY KEY, next bigint NOT NULL) WITH (fillfactor = 50)""",
)

SEARCHED = "(text || ' ' || facts)"
TRIGRAMS = "CREATE INDEX IF NOT EXISTS lines_searched ON logger.lines USING gin ((text || ' ' || facts) {}.gin_trgm_ops)"

# Where the extension is already; whether this role may add it (it is trusted: who may create in the database may add it).
TRIGRAMS_IN = "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'"
TRIGRAMS_MAY = """SELECT 1 FROM pg_available_extension_versions v, pg_roles r
    WHERE v.name = 'pg_trgm' AND r.rolname = current_user
    AND (r.rolsuper OR (v.trusted AND has_database_privilege(current_database(), 'CREATE'))) LIMIT 1"""
TRIGRAMS_ADD = "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA logger"

# One a connection, without a log of its own; what is in it goes at the end of each transaction.
STAGE = f"CREATE TEMP TABLE IF NOT EXISTS {STAGING} (n integer, {_DECLARED}) ON COMMIT DELETE ROWS"

# What lies behind all that came of its source is new without a look; a day has a unique index of its own, and only what
# is said again is looked for in the other days. The look is a scalar: as EXISTS it would be planned as a scan of all days.
KEEP = f"""INSERT INTO logger.lines ({ALL})
    SELECT {", ".join(f"s.{name}" for name in COLUMNS)} FROM {STAGING} s LEFT JOIN logger.sources k ON k.source = s.source
    WHERE k.last IS NULL OR s.position > k.last
    OR (SELECT true FROM logger.lines l WHERE l.source = s.source AND l.position = s.position LIMIT 1) IS NULL
    ORDER BY s.n ON CONFLICT DO NOTHING"""

KEEP_SOURCES = f"""INSERT INTO logger.sources AS kept (source, last, seen)
    SELECT source, max(position), max(time) FROM {STAGING} GROUP BY source ORDER BY source
    ON CONFLICT (source) DO UPDATE SET last = greatest(kept.last, excluded.last), seen = greatest(kept.seen, excluded.seen)"""

KEEP_OFFSET = """INSERT INTO logger.offsets AS kept (partition, next) VALUES (%s, %s)
    ON CONFLICT (partition) DO UPDATE SET next = greatest(kept.next, excluded.next)"""

COUNTS = """SELECT date_bin(make_interval(secs => %(step)s), time, timestamptz '1970-01-01T00:00:00Z') AS bucket, level, count(*)
    FROM logger.lines WHERE {} GROUP BY bucket, level"""

DAYS = """SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'logger.lines'::regclass ORDER BY c.relname"""
