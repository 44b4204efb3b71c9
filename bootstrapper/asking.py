"""The platform's HTTP API as the demo uses it: the front door, with the installation's own CA."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from bootstrapper.shell import Failed


class Api:
    """`url` is the front door's; `log_in` once, then everything is asked as that person."""

    def __init__(self, url: str, ca: Path) -> None:
        self.url, self._token = url, ""
        self._context = ssl.create_default_context(cafile=str(ca))

    def log_in(self, username: str, password: str) -> None:
        _, told = self.ask("POST", "/session", {"username": username, "password": password})
        self._token = told["access_token"]

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        """(status, JSON) of a success; Failed says the platform's own words otherwise."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=60) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            told = json.loads(error.read() or b"{}")
            lines = [
                f"{told.get('detail', error.reason)} ({method} {path}: {error.code}, correlation {told.get('correlation', '?')})"
            ]
            raise Failed(
                "\n".join([*lines, *(f"  {e['path']}: {e['rule']}" for e in told.get("errors", []))])
            ) from error
        except OSError as error:
            raise Failed(f"{self.url} does not answer: {error}", "berth status") from error

    def visit(self, link: str) -> Any:
        """The JSON a link answers without a login, or None while it does not."""
        try:
            with urllib.request.urlopen(link, context=self._context, timeout=10) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None
