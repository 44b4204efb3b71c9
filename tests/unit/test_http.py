"""The HTTP side every subsystem shares: problems, the door, repeated POSTs, live routes, all in one process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from backbone import http
from backbone.backbone import Backbone
from backbone.context import current
from backbone.http import Blueprint, caller, workspace_of
from backbone.live import Call, Live, as_json, live_route
from backbone.live_events import Event, watch
from backbone.live_upload import received
from backbone.memory_peers import MemoryPeers
from contracts.errors import Conflict, NotFound, TooMany, Unavailable
from tests.support.tokens import platform_with_key, revoke, token_for


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DevicePath(Strict):
    device: str = Field(pattern="^[a-z0-9-]{1,40}$")


class Page(BaseModel):
    limit: int = Field(50, ge=1, le=200)
    tag: list[str] = []


class NewKind(Strict):
    name: str = Field(min_length=1)
    minimum: float = 0
    password: str = ""


FAULTS: dict[str, Exception] = {
    "taken": Conflict("In use."),
    "gone": NotFound("No such device."),
    "many": TooMany("Slowly.", 7.2),
    "away": Unavailable("The documents are away."),
    "bug": RuntimeError("a secret inside"),
}


class World:
    """A probe subsystem that serves some of sensor_manager's and app_controller's routes."""

    def __init__(self) -> None:
        self.platform, self.backbone = platform_with_key()
        self.made: list[str] = []
        self.live = Live()
        self.correlations: list[str] = []
        self.peers = MemoryPeers()
        self.app = http.compose(self._flask(), self._routes(self.backbone), self.live, lambda: [])
        for source in ("sensor_manager.api", "app_controller"):
            self.peers.attach(source, self.app)

    def _flask(self) -> Flask:
        blueprint = Blueprint("probe", __name__)

        @blueprint.get("/kinds")
        def kinds(query: Page) -> Any:
            self.correlations.append(current().correlation)
            return {"limit": query.limit, "tag": query.tag, "for": caller().subject, "in": workspace_of()}

        @blueprint.post("/kinds")
        def add_kind(body: NewKind, query: Page) -> Any:
            if body.name in FAULTS:
                raise FAULTS[body.name]
            self.made.append(body.name)
            return body, 201, {"Location": f"/api/v1/kinds/{body.name}"}

        @blueprint.post("/devices")
        def add_device(body: NewKind) -> Any:
            self.made.append(body.name)
            return {"token": "shown once"}, 201

        @blueprint.get("/devices/<device>")
        def device(path: DevicePath, query: Page) -> Any:
            return {"device": path.device}

        @blueprint.delete("/devices/<device>")
        def remove(device: str) -> None:
            self.made.append(f"-{device}")

        @blueprint.get("/not-in-the-table")
        def outside() -> Any:
            return {}

        return http.api("probe", [blueprint], self.backbone)

    def _routes(self, backbone: Backbone) -> Sequence[Any]:
        async def upload(call: Call) -> Response:
            """Takes a zip."""
            async with received(call, most=1000) as got:
                return as_json({"size": got.size, "digest": got.digest, "in": call.workspace}, 201)

        async def changes(call: Call) -> Response:
            def look(last: str) -> list[Event]:
                if call.path["deployment"] == "none":
                    raise NotFound("No deployment none.")
                n = int(last or 0)
                return [Event({"n": n + 1}, id=str(n + 1), last=n == 9)]

            return await watch(call, look, every=0.001)

        return (
            live_route("POST", "/api/v1/releases", upload, backbone, self.live),
            live_route("GET", "/api/v1/deployments/{deployment}/events", changes, backbone, self.live),
        )

    def token(self, *roles: str, **facts: Any) -> str:
        return token_for(
            self.backbone, roles=roles or ("developer",), workspaces={"ada": "owner", "lab": "guest"}, **facts
        )

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> tuple[int, Any, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        more = {k.replace("_", "-"): v for k, v in headers.items()}
        got = self.peers.ask(method, path, raw, self.token() if token is None else token, more)
        return got.status, got.json if "json" in got.headers.get("content-type", "") else got.body, got.headers


@pytest.fixture
def world() -> World:
    return World()


def test_models_in_and_out(world: World) -> None:
    status, told, headers = world.ask("GET", "/kinds?limit=5&tag=a&tag=b")
    assert (status, told) == (200, {"limit": 5, "tag": ["a", "b"], "for": "ada", "in": "ada"})
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    status, told, headers = world.ask("POST", "/kinds", {"name": "co2"})
    assert (status, told["name"], headers["location"]) == (201, "co2", "/api/v1/kinds/co2")
    assert world.ask("DELETE", "/devices/d1")[0] == 204


def test_all_problems_at_once(world: World) -> None:
    status, told, headers = world.ask(
        "POST", "/kinds?limit=0", {"name": "", "odd": 1, "minimum": "warm", "password": 7}
    )
    assert status == 422 and headers["content-type"] == "application/problem+json"
    paths = {e["path"]: e["value"] for e in told["errors"]}
    assert paths == {"query.limit": "0", "body.name": "", "body.odd": 1, "body.minimum": "warm", "body.password": None}
    assert told["correlation"] == headers["x-correlation"]
    status, told, _ = world.ask("GET", "/devices/NO?limit=999")
    assert (status, [e["path"] for e in told["errors"]]) == (422, ["path.device", "query.limit"])


def test_bodies_that_cannot_be_read(world: World) -> None:
    status, told, _ = world.ask("POST", "/kinds", b'{"name":\n oops}')
    assert (status, told["errors"][0]["line"]) == (400, 2)
    assert world.ask("POST", "/kinds", b'{"minimum": NaN}')[0] == 400
    assert world.ask("POST", "/kinds", b"name=x", content_type="application/x-www-form-urlencoded")[0] == 415
    assert world.ask("POST", "/kinds")[0] == 422
    assert world.ask("POST", "/kinds", b"x" * (1 << 20) + b"yy")[0] == 413


@pytest.mark.parametrize(
    ("name", "status", "header"),
    [("taken", 409, ""), ("gone", 404, ""), ("many", 429, "7"), ("away", 503, "1"), ("bug", 500, "")],
)
def test_errors_are_problems(world: World, name: str, status: int, header: str) -> None:
    got, told, headers = world.ask("POST", "/kinds", {"name": name})
    assert (got, told["status"], headers.get("retry-after", "")) == (status, status, header)
    assert "secret" not in told["detail"] and told["correlation"]


def test_unknown_paths_and_methods(world: World) -> None:
    assert world.ask("GET", "/devices/d1/nothing/here".replace("/nothing/here", "/events"))[0] == 404
    status, told, headers = world.ask("DELETE", "/kinds")
    assert (status, told["title"]) == (405, "Method Not Allowed") and "GET" in headers["allow"]
    status, _, headers = world.ask("DELETE", "/releases")
    assert status == 405 and headers["allow"] == "POST"


def test_what_is_not_in_the_table_is_refused(world: World) -> None:
    world.peers.attach("", world.app)
    assert world.ask("GET", "/not-in-the-table", token=world.token("admin"))[0] == 403


def test_the_door(world: World) -> None:
    status, _, headers = world.ask("GET", "/kinds", token="")
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert world.ask("GET", "/kinds", token="not.a.token")[0] == 401
    assert world.ask("POST", "/kinds", {"name": "x"}, token=world.token("user"))[0] == 403
    assert world.ask("GET", "/kinds", token=token_for(world.backbone, "device", workspace="ada"))[0] == 403
    assert world.ask("GET", "/devices/d1?workspace=lab")[0] == 200
    assert world.ask("DELETE", "/devices/d1?workspace=lab")[0] == 403
    assert world.ask("GET", "/devices/d1?workspace=other")[0] == 403
    assert world.ask("GET", "/devices/d1?workspace=other", token=world.token("operator"))[0] == 200
    assert world.made == []


def test_a_revoked_or_old_token_is_refused(world: World) -> None:
    token = world.token(jti="j1")
    assert world.ask("GET", "/kinds", token=token)[0] == 200
    revoke(world.backbone, "j1")
    assert world.ask("GET", "/kinds", token=token)[0] == 401
    token = world.token(seconds=10)
    assert world.ask("GET", "/kinds", token=token)[0] == 200
    world.platform.clock.advance(11)
    assert world.ask("GET", "/kinds", token=token)[0] == 401


def test_pages_of_elsewhere_may_not_write(world: World) -> None:
    assert world.ask("POST", "/kinds", {"name": "x"}, origin="https://evil.example")[0] == 403
    assert world.ask("POST", "/releases", b"", origin="null")[0] == 403
    assert world.ask("POST", "/kinds", {"name": "x"}, origin="https://memory")[0] == 201
    assert world.ask("GET", "/kinds", origin="https://evil.example")[0] == 200


def test_the_correlation_id_is_the_trace(world: World) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    _, _, headers = world.ask("GET", "/kinds", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert headers["x-correlation"] == trace == world.correlations[-1]
    _, _, headers = world.ask("GET", "/kinds", traceparent="nonsense")
    assert len(headers["x-correlation"]) == 32 and headers["x-correlation"] != trace
    assert current().correlation == ""


def test_a_repeated_post_is_done_once(world: World) -> None:
    first = world.ask("POST", "/kinds", {"name": "co2"}, idempotency_key="k1")
    again = world.ask("POST", "/kinds", {"name": "co2"}, idempotency_key="k1")
    assert first[:2] == again[:2] and again[2]["idempotent-replayed"] == "true" and world.made == ["co2"]
    assert world.ask("POST", "/kinds", {"name": "other"}, idempotency_key="k1")[0] == 409
    assert world.ask("POST", "/kinds", {"name": "co2"}, idempotency_key="k2")[0] == 201
    assert world.ask("POST", "/kinds", {"name": ""}, idempotency_key="k3")[0] == 422
    assert world.ask("POST", "/kinds", {"name": "now"}, idempotency_key="k3")[0] == 201
    assert world.ask("POST", "/kinds", {"name": "x"}, idempotency_key="k" * 201)[0] == 422
    other = world.token(subject="bob")
    assert world.ask("POST", "/kinds", {"name": "co2"}, other, idempotency_key="k1")[0] == 201


def test_an_answer_with_a_secret_is_not_kept(world: World) -> None:
    assert world.ask("POST", "/devices", {"name": "d1"}, idempotency_key="k1")[0] == 201
    status, told, _ = world.ask("POST", "/devices", {"name": "d1"}, idempotency_key="k1")
    assert status == 409 and "shown once" in told["detail"] and world.made == ["d1"]
    documents = world.platform.home.collection(_answers())
    assert "shown once" not in json.dumps([f.doc for f in documents.find({})])


def _answers() -> Any:
    from backbone.documents import Declared

    return Declared("answers_probe", {"at": str})


def test_answers_are_forgotten_after_a_day(world: World) -> None:
    world.ask("POST", "/kinds", {"name": "co2"}, idempotency_key="k1")
    world.platform.clock.advance(25 * 3600)
    assert world.ask("POST", "/kinds", {"name": "co2"}, idempotency_key="k1")[0] == 201
    assert world.made == ["co2", "co2"]


def test_an_upload_is_counted_and_hashed(world: World) -> None:
    status, told, _ = world.ask("POST", "/releases", b"z" * 1000)
    assert (status, told) == (201, {"size": 1000, "digest": hashlib.sha256(b"z" * 1000).hexdigest(), "in": "ada"})
    assert world.ask("POST", "/releases", b"z" * 1001)[0] == 413
    assert world.ask("POST", "/releases", b"", content_length="5000")[0] == 413


def test_live_routes_have_the_same_door(world: World) -> None:
    status, told, headers = world.ask("POST", "/releases", b"", token="")
    assert (status, told["status"], headers["www-authenticate"]) == (401, 401, "Bearer")
    assert world.ask("POST", "/releases", b"", token=world.token("operator"))[0] == 403
    assert world.ask("POST", "/releases?workspace=lab", b"")[0] == 403
    assert world.ask("GET", "/deployments/none/events")[0] == 404


def test_events_have_ids_and_resume(world: World) -> None:
    token = world.token()
    assert world.peers.events("/deployments/d/events", 3, token) == [{"n": 1}, {"n": 2}, {"n": 3}]
    resumed = world.peers.events("/deployments/d/events", 99, token, {"Last-Event-ID": "7"})
    assert resumed == [{"n": 8}, {"n": 9}, {"n": 10}]


def test_open_events_end_when_the_process_closes(world: World) -> None:
    world.live.close()
    assert world.peers.events("/deployments/d/events", 99, world.token()) == []


def test_live_and_ready(world: World) -> None:
    def status(path: str) -> int:
        return MemoryAsk(world.app)(path)

    assert (status("/live"), status("/ready")) == (200, 200)
    world.live.close()
    assert (status("/live"), status("/ready")) == (200, 503)


def test_not_ready_before_a_key_is_heard() -> None:
    from backbone.memory import MemoryPlatform

    backbone = MemoryPlatform().backbone("probe")
    backbone.tokens.catch_up()
    app = http.compose(http.api("probe", [], backbone), (), Live(), lambda: ["no lease"])
    assert MemoryAsk(app)("/ready") == 503


def test_the_document_names_every_route(world: World) -> None:
    world.peers.attach("", world.app)
    status, document, _ = world.ask("GET", "/openapi/probe")
    assert status == 200 and document["paths"]["/api/v1/releases"]["post"]["summary"] == "Takes a zip."
    assert {"/api/v1/kinds", "/api/v1/devices/{device}", "/api/v1/deployments/{deployment}/events"} <= set(
        document["paths"]
    )


class MemoryAsk:
    """/live and /ready, which no table names."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, path: str) -> int:
        from backbone.memory_peers import _Exchange, _in_a_loop, _scope

        return _in_a_loop(_Exchange(b"", None), self.app, _scope("GET", path, {})).status
