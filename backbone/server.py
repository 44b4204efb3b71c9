"""One uvicorn in the main thread: at SIGTERM it wakes what stays open, drains, and is gone in a fifth of a second."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn

from backbone.live import Live

GRACE = 0.05
"""Seconds in which what stays open may take its leave by itself."""
SWITCH = 0.0005  # seconds a thread may hold the interpreter: the consumer's thread must not delay requests


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self.live = live
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """The inherited one wakes ten times a second to see whether it is to end."""
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        if not self.should_exit:
            await self._ended.wait()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """The inherited one would raise the signal again at the end, and kill the process before its `stop`."""
        self.live.close()
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.call_later, GRACE, self._ended.set)


def serve(app: Any, port: int, live: Live, host: str = "0.0.0.0") -> None:
    """Blocks until SIGTERM or SIGINT. From here on a thread follows keys and revocations.

    The caller ends the process by `os._exit(0)`: else the interpreter waits for a handler that hangs.
    """
    sys.setswitchinterval(SWITCH)
    for checker in getattr(app.state, "checkers", ()):
        checker.follow()
    config = uvicorn.Config(
        app,
        host,
        port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        log_level="warning",
    )
    Server(config, live).run()
    sys.stdout.flush()
