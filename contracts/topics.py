"""Every topic: who may write to it, how it is kept. Partition counts never change later: order per key would break."""

from __future__ import annotations

from dataclasses import dataclass

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Topic:
    """`keep` is seconds, or 0 for a compacted topic; `key` says whose id orders the messages."""

    name: str
    key: str
    partitions: int
    keep: int

    @property
    def compacted(self) -> bool:
        return self.keep == 0

    @property
    def dead(self) -> Topic:
        """Where messages go that nobody could take, with the reason."""
        return Topic(f"{self.name}-dead", self.key, 1, 30 * DAY)


RELEASES = Topic("releases", "release", 6, 7 * DAY)
DEPLOYMENTS = Topic("deployments", "deployment", 6, 7 * DAY)
NODES = Topic("nodes", "node", 3, 7 * DAY)
INCIDENTS = Topic("incidents", "incident", 3, 7 * DAY)
AUDIT = Topic("audit", "audit", 3, 7 * DAY)
BEATS = Topic("beats", "replica", 3, HOUR)
FIGURES = Topic("figures", "node", 3, HOUR)
LINES = Topic("lines", "instance", 6, DAY)
READINGS = Topic("readings", "device", 12, 7 * DAY)
COMMANDS = Topic("commands", "device", 6, DAY)
STREAMS = Topic("streams", "deployment", 64, DAY)
KEYS = Topic("keys", "id", 1, 0)
REVOCATIONS = Topic("revocations", "id", 1, 0)

MESSAGE_TOPICS = (RELEASES, DEPLOYMENTS, NODES, INCIDENTS, AUDIT, BEATS, KEYS, REVOCATIONS)
RECORD_TOPICS = (FIGURES, LINES, READINGS, COMMANDS, STREAMS)
TOPICS = (*MESSAGE_TOPICS, *RECORD_TOPICS)
ALL_TOPICS = (*TOPICS, *(t.dead for t in TOPICS))
