"""Opens the real ports from the settings: the only place where an address becomes a connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backbone.backbone import Parts
from backbone.backing import Question
from backbone.blobs import Blobs
from backbone.bus import Bus
from backbone.clock import Clock
from backbone.directory import Directory
from backbone.documents import Home
from backbone.peers import Peers
from backbone.settings import Settings


def real_parts(settings: Settings, clock: Clock, name: str) -> Parts:
    """Each import is inside its opener: a subsystem pays only for the ports that it uses."""

    def bus() -> Bus:
        from backbone.bus.kafka import open_bus

        return open_bus(settings, clock)

    def records() -> Any:
        from backbone.bus.records import open_records

        return open_records(settings)

    def documents() -> Home:
        if settings.has("MONGO_URL"):
            from backbone.documents.mongo import MongoHome

            return MongoHome(settings.secret("MONGO_URL").reveal(), settings.text("MONGO_DATABASE", "berth"))
        from backbone.documents.postgres import PostgresHome
        from backbone.tables.postgres import open_pool

        return PostgresHome(open_pool(settings.secret("POSTGRES_URL").reveal(), 4), name)

    def tables() -> Any:
        from backbone.tables.postgres import open_pool

        return open_pool(settings.secret("POSTGRES_URL").reveal(), 4)

    def blobs() -> Blobs:
        from backbone.blobs.azure import open_blobs

        return open_blobs(settings)

    def directory() -> Directory:
        from backbone.directory.ldap import open_directory

        return open_directory(settings)

    def peers() -> Peers:
        from backbone.peers import open_peers

        return open_peers(settings)

    def containers() -> Any:
        from backbone.containers.engine import open_engine

        return open_engine(settings)

    def questions() -> Mapping[str, Question]:
        from backbone.backing import over_http

        return over_http(settings)

    return Parts(bus, documents, blobs, directory, peers, records, tables, containers, questions)
