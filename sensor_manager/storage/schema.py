"""The tables of readings: a partition a day, so that old days are dropped whole and new rows stay in small indexes."""

from __future__ import annotations

from datetime import timedelta

from backbone.tables.partitions import Cut

SCHEMA = "sensor_manager"
STAGING = "readings_staging"
LOCK = 0x6265_7274  # held while tables are made: IF NOT EXISTS alone is not safe against two at once
CUT = Cut(SCHEMA, "readings", "readings_%Y%m%d", timedelta(days=1), LOCK)

TABLES = (
    "CREATE SCHEMA IF NOT EXISTS sensor_manager",
    """CREATE TABLE IF NOT EXISTS sensor_manager.sensors (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sensor text COLLATE "C" NOT NULL UNIQUE)""",
    """CREATE TABLE IF NOT EXISTS sensor_manager.readings (
        sensor bigint NOT NULL, time timestamptz NOT NULL, number double precision, other jsonb,
        PRIMARY KEY (sensor, time), CHECK ((number IS NULL) <> (other IS NULL))) PARTITION BY RANGE (time)""",
    "CREATE INDEX IF NOT EXISTS readings_time ON sensor_manager.readings USING brin (time)",
    """CREATE TABLE IF NOT EXISTS sensor_manager.latest (
        sensor bigint PRIMARY KEY, time timestamptz NOT NULL, number double precision, other jsonb) WITH (fillfactor = 50)""",
    """CREATE TABLE IF NOT EXISTS sensor_manager.offsets (
        partition integer PRIMARY KEY, next bigint NOT NULL) WITH (fillfactor = 50)""",
)

# One a connection, without a log of its own; what is in it goes at the end of each transaction.
STAGE = f"""CREATE TEMP TABLE IF NOT EXISTS {STAGING} (
    n integer, sensor bigint, time timestamptz, number double precision, other jsonb) ON COMMIT DELETE ROWS"""
STAGE_COLUMNS = ("n", "sensor", "time", "number", "other")

KEEP = f"""INSERT INTO sensor_manager.readings (sensor, time, number, other)
    SELECT sensor, time, number, other FROM {STAGING} ORDER BY n ON CONFLICT DO NOTHING"""

KEEP_LATEST = f"""INSERT INTO sensor_manager.latest AS kept (sensor, time, number, other)
    SELECT DISTINCT ON (sensor) sensor, time, number, other FROM {STAGING} ORDER BY sensor, time DESC, n
    ON CONFLICT (sensor) DO UPDATE SET time = excluded.time, number = excluded.number, other = excluded.other
    WHERE excluded.time > kept.time"""

KEEP_OFFSET = """INSERT INTO sensor_manager.offsets AS kept (partition, next) VALUES (%s, %s)
    ON CONFLICT (partition) DO UPDATE SET next = greatest(kept.next, excluded.next)"""

LATEST = """SELECT s.sensor, l.time, l.number, l.other FROM sensor_manager.sensors s
    JOIN sensor_manager.latest l ON l.sensor = s.number WHERE s.sensor = ANY(%s)"""

HISTORY = """SELECT time, number, other FROM (
    SELECT time, number, other FROM sensor_manager.readings
    WHERE sensor = %s AND time >= %s AND time < %s ORDER BY time DESC LIMIT %s) newest ORDER BY time"""

BUCKETS = """SELECT date_bin(make_interval(secs => %s), time, timestamptz '1970-01-01T00:00:00Z') AS bucket,
    avg(number), min(number), max(number), count(*) FROM sensor_manager.readings
    WHERE sensor = %s AND time >= %s AND time < %s AND number IS NOT NULL GROUP BY bucket ORDER BY bucket"""

DAYS = """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'sensor_manager.readings'::regclass ORDER BY c.relname"""
