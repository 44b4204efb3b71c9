"""The tables of figures: a partition an hour, so that what is older than a day is dropped whole."""

from __future__ import annotations

from datetime import timedelta

from backbone.tables.partitions import Cut

SCHEMA = "node_manager"
LOCK = 0x6669_6775  # held while tables are made: IF NOT EXISTS alone is not safe against two at once
CUT = Cut(SCHEMA, "figures", "figures_%Y%m%d%H", timedelta(hours=1), LOCK)

TABLES = (
    """CREATE TABLE IF NOT EXISTS node_manager.figure_subjects (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE,
        kind text NOT NULL, service text NOT NULL, workspace text NOT NULL, deployment text NOT NULL,
        generation bigint NOT NULL, node text NOT NULL, seen timestamptz NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS node_manager.figures (
        subject bigint NOT NULL, time timestamptz NOT NULL, samples integer NOT NULL,
        cpu float8 NOT NULL, cpu_max float8 NOT NULL, memory float8 NOT NULL, memory_max float8 NOT NULL,
        load float8, disk float8, received float8, sent float8, PRIMARY KEY (subject, time)) PARTITION BY RANGE (time)""",
    """CREATE TABLE IF NOT EXISTS node_manager.figure_offsets (
        partition integer PRIMARY KEY, next bigint NOT NULL) WITH (fillfactor = 50)""",
)

KEEP_SUBJECT = """INSERT INTO node_manager.figure_subjects AS kept
    (id, kind, service, workspace, deployment, generation, node, seen) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE SET node = excluded.node, seen = greatest(kept.seen, excluded.seen)"""

NUMBERS = "SELECT id, number FROM node_manager.figure_subjects WHERE id = ANY(%s)"

KEEP = """INSERT INTO node_manager.figures AS kept
    (subject, time, samples, cpu, cpu_max, memory, memory_max, load, disk, received, sent)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (subject, time) DO UPDATE SET samples = excluded.samples, cpu = excluded.cpu, cpu_max = excluded.cpu_max,
    memory = excluded.memory, memory_max = excluded.memory_max, load = excluded.load, disk = excluded.disk,
    received = excluded.received, sent = excluded.sent WHERE excluded.samples >= kept.samples"""

KEEP_OFFSET = """INSERT INTO node_manager.figure_offsets AS kept (partition, next) VALUES (%s, %s)
    ON CONFLICT (partition) DO UPDATE SET next = greatest(kept.next, excluded.next)"""

OFFSETS = "SELECT partition, next FROM node_manager.figure_offsets"

SUBJECT = """SELECT id, kind, service, workspace, deployment, generation, node
    FROM node_manager.figure_subjects WHERE id = %s"""

STEPS = """SELECT date_bin(make_interval(secs => %s), time, timestamptz '1970-01-01T00:00:00Z') AS begin, sum(samples)::int,
    sum(cpu * samples) / sum(samples), max(cpu_max), sum(memory * samples) / sum(samples), max(memory_max),
    sum(load * samples) / sum(samples) FILTER (WHERE load IS NOT NULL),
    sum(disk * samples) / sum(samples) FILTER (WHERE disk IS NOT NULL),
    sum(received * samples) / sum(samples) FILTER (WHERE received IS NOT NULL),
    sum(sent * samples) / sum(samples) FILTER (WHERE sent IS NOT NULL)
    FROM node_manager.figures JOIN node_manager.figure_subjects s ON s.number = subject
    WHERE s.id = %s AND time >= %s AND time < %s GROUP BY begin ORDER BY begin"""

HOURS = """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'node_manager.figures'::regclass ORDER BY c.relname"""

FORGET_SUBJECTS = "DELETE FROM node_manager.figure_subjects WHERE seen < %s"
