"""The files of the pages; one asked for by its version is kept by the browser for good."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

FOREVER = "public, max-age=31536000, immutable"


class Kept(StaticFiles):
    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope["query_string"].startswith(b"v=") or path.endswith(".woff2")
        response.headers["Cache-Control"] = FOREVER if versioned and response.status_code == 200 else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def files(folder: Path) -> Mount:
    return Mount("/static", Kept(directory=folder, check_dir=False), name="static")
