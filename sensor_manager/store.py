"""What sensor_manager keeps in documents: kinds, devices with their sensors, bindings and who holds what exclusively."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from backbone.backbone import Backbone
from backbone.clock import text_of
from backbone.documents import Declared, Doc
from contracts.errors import NotFound, Taken
from contracts.message import Message
from contracts.messages.deployment import BoundSensor
from sensor_manager.kinds import STANDARD, Kind
from sensor_manager.model import Device, device_of
from sensor_manager.places import fixed_part

KINDS = Declared("kinds", {"workspace": str, "name": str, "changed": str})
DEVICES = Declared(
    "devices", {"workspace": str, "name": str, "place": str, "changed": str, "gone": bool}, (("workspace", "name"),)
)
BINDINGS = Declared(
    "bindings", {"workspace": str, "deployment": str, "generation": float, "live": bool, "changed": str}
)
CLAIMS = Declared("sensor_claims", {"deployment": str})
PAGE = 500
OVERLAP = timedelta(seconds=5)  # clocks of replicas differ, and a write shows later than its time says


class Store:
    def __init__(self, backbone: Backbone) -> None:
        self._clock = backbone.clock
        self._kinds = backbone.kept(KINDS)
        self._devices = backbone.kept(DEVICES)
        self._bindings = backbone.kept(BINDINGS)
        self._claims = backbone.kept(CLAIMS)

    # kinds

    def add_standard_kinds(self) -> None:
        """Also at every later start, and by several replicas at once."""
        for kind in STANDARD:
            if self._kinds.get(f"/{kind.name}") is None:
                try:
                    self.add_kind(kind)
                except Taken:
                    continue

    def add_kind(self, kind: Kind) -> None:
        """Taken: the workspace has it already."""
        self._kinds.insert(f"{kind.workspace}/{kind.name}", kind.asdict() | {"changed": self._now()})

    def kinds(self, workspace: str) -> dict[str, Kind]:
        """The standard ones and the workspace's own, by name."""
        docs = [doc for where in ("", workspace) for doc in _pages(self._kinds.find, {"workspace": where})]
        return {doc["name"]: kind_of(doc) for doc in docs}

    def kinds_since(self, since: datetime | None) -> list[Kind]:
        return [kind_of(doc) for doc in _pages(self._kinds.find, _changed(since))]

    # devices

    def add_device(self, device: Device, token: str, by: str) -> None:
        """Taken: the workspace has a device of this name."""
        doc = {
            "workspace": device.workspace, "name": device.name, "place": device.place, "token": token, "gone": False,
            "sensors": [{"id": s.id, "key": s.key, "kind": s.kind, "unit": s.unit} for s in device.sensors],
            "created": self._now(), "created_by": by, "changed": self._now(),
        }  # fmt: skip
        self._devices.insert(device.id, doc)

    def device(self, id: str) -> Device | None:
        doc = self._devices.get(id)
        return None if doc is None or doc["gone"] else device_of(doc, id)

    def device_doc(self, id: str) -> Doc | None:
        """With when and by whom it was added, and its token's id; None also where it is gone."""
        doc = self._devices.get(id)
        return None if doc is None or doc["gone"] else doc

    def devices(self, workspace: str, where: str = "") -> list[Device]:
        """All at places that may match `where`, in order of place."""
        asked: dict[str, Any] = {"workspace": workspace, "gone": False}
        if fixed := fixed_part(where):
            asked["place"] = [(">=", fixed), ("<=", fixed + "/~")]
        return [device_of(doc, doc["id"]) for doc in _pages(self._devices.find, asked, "place")]

    def devices_since(self, since: datetime | None) -> list[Device | str]:
        """Those that changed, of any workspace; of one that is gone its id."""
        docs = _pages(self._devices.find, _changed(since))
        return [doc["id"] if doc["gone"] else device_of(doc, doc["id"]) for doc in docs]

    def change_token(self, id: str, token: str) -> str:
        """The id of the token that was valid until now. NotFound."""
        before: list[str] = []

        def decide(doc: Doc) -> tuple[Doc, Sequence[Message]]:
            before[:] = [doc["token"]]
            return doc | {"token": token, "changed": self._now()}, ()

        self._devices.change(id, decide)
        return before[0]

    def remove_device(self, id: str) -> None:
        """It stays as a trace without a name, so that every replica's registry hears of it."""
        self._devices.change(id, lambda doc: (doc | {"gone": True, "name": None, "changed": self._now()}, ()))

    # bindings

    def bind(
        self, deployment: str, generation: int, workspace: str, sensors: Mapping[str, Iterable[BoundSensor]],
        message: Callable[[str], Message],
    ) -> None:
        """Keeps the binding and what it says in one write; asked again, it says what it said before."""
        id = f"{deployment}/{generation}"
        doc: Doc = {
            "workspace": workspace, "deployment": deployment, "generation": generation, "live": True,
            "binding": self._clock.new_id(), "changed": self._now(),
            "sensors": {need: [s.model_dump() for s in some] for need, some in sensors.items()},
        }  # fmt: skip
        try:
            self._bindings.insert(id, doc, [message(doc["binding"])])
        except Taken:
            self._bindings.change(id, lambda kept: (kept, [message(kept["binding"])]))

    def binding(self, deployment: str, generation: int) -> Doc | None:
        return self._bindings.get(f"{deployment}/{generation}")

    def bindings_of(self, deployment: str) -> list[Doc]:
        return _pages(self._bindings.find, {"deployment": deployment})

    def bindings_in(self, workspace: str) -> list[Doc]:
        return _pages(self._bindings.find, {"workspace": workspace, "live": True})

    def bindings_since(self, since: datetime | None) -> list[Doc]:
        """Those that changed, or all where `since` is None; each with `live`."""
        return _pages(self._bindings.find, {"live": True} if since is None else _changed(since))

    def end_binding(self, deployment: str, generation: int) -> None:
        try:
            self._bindings.change(
                f"{deployment}/{generation}",
                lambda doc: (doc | {"live": False, "changed": self._now()}, ()) if doc["live"] else None,
            )
        except NotFound:
            return

    # exclusive use

    def claim(self, sensor: str, deployment: str) -> bool:
        """False: another deployment holds it."""
        try:
            self._claims.insert(sensor, {"deployment": deployment})
        except Taken:
            held = self._claims.get(sensor)
            return held is not None and held["deployment"] == deployment
        return True

    def claims(self) -> dict[str, str]:
        """sensor -> the deployment that holds it."""
        return {doc["id"]: doc["deployment"] for doc in _pages(self._claims.find, {})}

    def let_go(self, deployment: str, but: set[str]) -> None:
        """Of what the deployment holds, all that is not in `but`."""
        for doc in _pages(self._claims.find, {"deployment": deployment}):
            if doc["id"] not in but:
                self._claims.delete(doc["id"])

    def _now(self) -> str:
        return text_of(self._clock.now())


def kind_of(doc: Mapping[str, Any]) -> Kind:
    return Kind(doc["name"], doc["value"], doc["unit"], doc["minimum"], doc["maximum"], doc["description"], doc["workspace"])


def _changed(since: datetime | None) -> dict[str, Any]:
    return {} if since is None else {"changed": (">", text_of(since - OVERLAP))}


def _pages(find: Callable[..., list[Doc]], where: Mapping[str, Any], sort: str = "") -> list[Doc]:
    return list(_paged(find, where, sort))


def _paged(find: Callable[..., list[Doc]], where: Mapping[str, Any], sort: str) -> Iterator[Doc]:
    after: tuple[Any, str] | None = None
    while True:
        page = find(where, sort, False, PAGE, after)
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1][sort] if sort else None, page[-1]["id"])
