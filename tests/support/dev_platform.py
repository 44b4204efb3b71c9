"""All subsystems on twins in one process with the pages in front, to look at: `python -m tests.support.dev_platform 8700`."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import uvicorn

import platform_ui.subsystem
from tests.scenarios.memory_world import PEOPLE, MemoryWorld
from tests.support.dev_lines import Printed
from tests.support.pages import DEVICES, seed

STEP = 0.1


def main(port: int, empty: bool = False) -> None:
    printed = Printed()
    world = MemoryWorld()
    world.platform.settings["BERTH_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    pages = world.platform.add(platform_ui.subsystem.build, "platform_ui")
    app = world.platform.subsystems["platform_ui"].app()
    stop = threading.Event()
    tokens = {} if empty else seed(world)
    threading.Thread(target=_live, args=(world, printed, tokens, stop), daemon=True).start()
    print(f"http://127.0.0.1:{port}  as {', '.join(f'{name} / pw-{name}' for name in PEOPLE.values())}", flush=True)
    config = uvicorn.Config(Whole(world, app), "127.0.0.1", port, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run()
    stop.set()
    assert pages.live is not None
    pages.live.close()


class Whole:
    """The API below /api, as the front door has it; pages everywhere else."""

    def __init__(self, world: MemoryWorld, pages: Any) -> None:
        self._world, self._pages = world, pages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        app = self._world.platform.peers._app(scope["method"], path) if path.startswith("/api/") else self._pages
        await app(scope, receive, send)


def _live(world: MemoryWorld, printed: Printed, tokens: dict[str, str], stop: threading.Event) -> None:
    """Time passes as it does outside, and the devices go on measuring."""
    last, said = time.monotonic(), 0.0
    while not stop.wait(STEP):
        now = time.monotonic()
        printed.send(world)
        world.pass_time(now - last)
        last = now
        if now - said > 2:
            said = now
            for name, token in tokens.items():
                measure(world, name, token, now)


def measure(world: MemoryWorld, name: str, token: str, now: float) -> None:
    from tests.support.pages import value_at

    sensors = DEVICES[name][1]
    readings = [{"sensor_id": key, "value": value_at(kind, now)} for key, kind in sensors]
    world.ask("POST", "/readings", token, json=readings)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8700, empty="empty" in sys.argv)
