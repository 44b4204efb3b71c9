"""A browser without a screen: cookies, forms with their tokens, the pages' news."""

from __future__ import annotations

import asyncio
import html
import json
import re
from typing import Any

from starlette.testclient import TestClient

from backbone.memory_stream import Open, served
from tests.scenarios.memory_world import PEOPLE, MemoryWorld

HOME = "https://berth.test"
HIDDEN = re.compile(r'name="(csrf|first)" value="([^"]+)"')


class Visitor:
    """`get` and `post` give the answer; a write carries the token of the page that was seen last."""

    def __init__(self, world: MemoryWorld) -> None:
        self.world = world
        self.app = world.platform.subsystems["platform_ui"].app()
        self.client = TestClient(self.app, base_url=HOME, follow_redirects=False)
        self.fields: dict[str, str] = {}

    def get(self, path: str) -> Any:
        return self._seen(self.client.get(path))

    def post(self, path: str, headers: Any = None, **form: Any) -> Any:
        answer = self.client.post(path, data={**self.fields, **form}, headers={"Origin": HOME, **(headers or {})})
        self.world.platform.settle()
        return self._seen(answer)

    def login(self, role: str, password: str = "") -> Any:
        self.get("/login")
        name = PEOPLE.get(role, role)
        answer = self.post("/login", username=name, password=password or f"pw-{name}")
        if answer.status_code == 303:
            self.get("/")
        return answer

    def send(self, body: bytes, name: str = "app.zip", **headers: str) -> Any:
        """A zip as upload.js sends it."""
        told = {"Origin": HOME, "X-CSRF-Token": self.fields.get("csrf", ""), "X-File-Name": name, "Content-Type": "application/zip"}
        answer = self.client.post("/upload/zip", content=body, headers=told | headers)
        self.world.platform.settle()
        return answer

    def news(self, path: str, most: int = 1) -> list[Any]:
        """The first so many news of a page."""
        return asyncio.run(asyncio.wait_for(self._news(path, most), 20))

    async def _news(self, path: str, most: int) -> list[Any]:
        path, _, query = path.partition("?")
        cookie = "; ".join(f"{k}={v}" for k, v in self.client.cookies.items())
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https", "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "server": ("berth.test", 443), "client": ("x", 1),
            "headers": [(b"host", b"berth.test"), (b"cookie", cookie.encode())],
        }  # fmt: skip
        found: list[Any] = []
        async with served(self.app, scope, Open(None)) as opened:
            assert opened.status == 200, (await opened.whole()).body
            rest = ""
            async for part in opened.body:
                *lines, rest = (rest + part.decode()).split("\n")
                found += [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
                if len(found) >= most:
                    break
        return found

    def _seen(self, answer: Any) -> Any:
        self.fields |= {name: html.unescape(value) for name, value in HIDDEN.findall(answer.text)}
        return answer
