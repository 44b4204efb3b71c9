"""Docker and Swarm behind the containers port: the images, the services and this node's containers on one connection."""

from __future__ import annotations

from backbone.containers import Containers
from backbone.containers.engine_connection import Connection
from backbone.containers.engine_images import EngineImages
from backbone.containers.engine_node import EngineNode
from backbone.containers.engine_printed import EnginePrinted
from backbone.containers.engine_services import EngineServices
from backbone.settings import Settings


class Engine:
    def __init__(self, connection: Connection, host_root: str = "") -> None:
        self.printed = EnginePrinted(connection, host_root)
        self.images, self.services, self.node = EngineImages(connection), EngineServices(connection), EngineNode(connection)


def open_engine(settings: Settings) -> Containers:
    return Engine(Connection(settings), settings.text("BERTH_HOST_ROOT", ""))
