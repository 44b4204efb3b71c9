"""The host port over the node's Docker socket: one helper container with the node's network, made from the platform's image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backbone.containers.engine_connection import Connection, told
from backbone.containers.host import Host, Ran
from backbone.settings import Settings
from contracts.errors import Unavailable

IMAGE = "berth.image"
LABEL = "berth.installation"


class EngineHost:
    """`image` is the platform's, which holds the tools; the node has it, for this very process runs from it."""

    def __init__(self, connection: Connection, installation: str, image: str) -> None:
        self._c, self._installation, self._image = connection, installation, image

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Ran:
        container = self._helper(name)
        with told(f"running {command[-1]} in {name}"):
            made = self._c.api.exec_create(container, list(command), environment=dict(environment))
            text: bytes = self._c.api.exec_start(made["Id"])
            code = self._c.api.exec_inspect(made["Id"])["ExitCode"]
        return Ran(int(code or 0), text.decode("utf-8", "replace"))

    def remove(self, name: str) -> None:
        for found in self._found(name):
            with told(f"removing {name}"):
                self._c.api.remove_container(found["Id"], force=True)

    def label(self, name: str, value: str) -> bool:
        with told("labelling this node"):
            swarm = self._c.api.info()["Swarm"]
            if not swarm.get("ControlAvailable"):
                return False
            node = self._c.api.inspect_node(swarm["NodeID"])
            spec, labels = node["Spec"], dict(node["Spec"].get("Labels") or {})
            if labels.get(name, "") != value:
                labels = {k: v for k, v in {**labels, name: value}.items() if v}
                self._c.api.update_node(node["ID"], node["Version"]["Index"], {**spec, "Labels": labels})
        return True

    def _helper(self, name: str) -> str:
        """Its id. One of another image or that does not run goes first."""
        for found in self._found(name):
            if found["State"] == "running" and found["Labels"].get(IMAGE) == self._image:
                return str(found["Id"])
            with told(f"removing the old {name}"):
                self._c.api.remove_container(found["Id"], force=True)
        with told(f"making {name}"):
            made = self._c.api.create_container(
                self._image,
                ["sleep", "infinity"],
                name=name,
                user="0:0",
                labels={LABEL: self._installation, IMAGE: self._image},
                host_config=self._c.api.create_host_config(
                    network_mode="host",
                    cap_drop=["ALL"],
                    cap_add=["NET_ADMIN", "NET_RAW"],
                    read_only=True,
                    tmpfs={"/run": "size=1m"},
                    init=True,
                    mem_limit="64m",
                    pids_limit=32,
                    restart_policy={"Name": "always"},
                ),
            )
            self._c.api.start(made["Id"])
        return str(made["Id"])

    def _found(self, name: str) -> list[Any]:
        with told(f"looking for {name}"):
            found = self._c.api.containers(all=True, filters={"name": f"^/{name}$"})
        return [f for f in found if f"/{name}" in f["Names"]]


def open_host(settings: Settings) -> Host:
    """Unavailable where nobody said which image the platform is."""
    image = settings.text("BERTH_PLATFORM_IMAGE", "")
    if not image:
        raise Unavailable("The setting BERTH_PLATFORM_IMAGE is missing: the firewall's helper is made from it.")
    return EngineHost(Connection(settings), settings.text("BERTH_INSTALLATION", "berth"), image)
