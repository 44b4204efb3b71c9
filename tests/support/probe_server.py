"""A process that serves on twins: prints a token, then answers until it is told to stop."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

from starlette.responses import Response
from starlette.websockets import WebSocket

from backbone import http, server
from backbone.claims import Claims
from backbone.http import Blueprint
from backbone.live import Call, Live, live_route, live_socket
from backbone.live_events import Event, watch
from backbone.live_upload import received
from tests.support.tokens import platform_with_key, token_for


def main() -> None:
    platform, _ = platform_with_key()
    backbone = platform.backbone("probe")
    backbone.tokens.catch_up()
    live, routes = Live(), Blueprint("probe", __name__)

    @routes.get("/kinds")
    def kinds() -> Any:
        return {"items": []}

    @routes.post("/kinds")
    def hang() -> Any:
        threading.Event().wait()

    async def changes(call: Call) -> Response:
        return await watch(call, lambda last: [] if last else [Event({"n": 1}, id="1")], every=5.0)

    async def upload(call: Call) -> Response:
        async with received(call) as got:
            return Response(got.digest)

    async def socket(line: WebSocket, claims: Claims, live: Live) -> None:
        await line.accept()
        await line.send_text(claims.subject)
        while not await live.until(5.0):
            pass
        await line.close(1012, "restarting")

    open_routes = [
        live_socket("/api/v1/readings/socket", socket, backbone, live),
        live_route("GET", "/api/v1/deployments/{deployment}/events", changes, backbone, live),
        live_route("POST", "/api/v1/releases", upload, backbone, live),
    ]
    app = http.compose(http.api("probe", [routes], backbone), open_routes, live, lambda: [])
    facts: dict[str, Any] = {"roles": ("admin",), "seconds": 3600}
    device = token_for(backbone, "device", "d1", workspace="ada", seconds=3600)
    print(json.dumps({"token": token_for(backbone, jti="j1", **facts), "device": device}), flush=True)
    server.serve(app, int(os.environ["BERTH_PORT"]), live, "127.0.0.1")
    print(json.dumps({"event": "after"}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
