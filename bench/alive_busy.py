"""Builds at full load, and what the monitor makes of them: nobody died, so whoever is replaced is replaced by mistake."""

from __future__ import annotations

import os
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from tests.scenarios.real_world import RealWorld
from tests.scenarios.story import new_name, upload

AT_ONCE = 4
PATIENCE = 300.0
MANIFEST = """berth: 1
name: NAME
version: 1.0.VERSION
services:
  web: {runtime: python, command: python app.py, port: 8000, public: true, health: {path: /healthz}, packages: requirements.txt}
"""


class Builder:
    """Uploads new code with requirements of its own, again and again, until told to stop; `built` counts."""

    def __init__(self, world: RealWorld) -> None:
        self._world = world
        self.built, self.failed = 0, 0
        self._name = new_name("busy")

    def run(self, end: float) -> None:
        while time.monotonic() < end:
            text = MANIFEST.replace("NAME", self._name).replace("VERSION", str(self.built + self.failed))
            packages = f"# {uuid.uuid4()}\nclick==8.1.8\nidna==3.10\n"
            files: dict[str, str | bytes] = {"berth.yml": text, "app.py": f"# {uuid.uuid4()}\n", "requirements.txt": packages}
            try:
                self._built(upload(self._world, self._token(), files))
                self.built += 1
            except AssertionError as error:
                self.failed += 1
                print(f"  a build did not end well: {str(error)[:200]}", flush=True)
                time.sleep(1)

    def _token(self) -> str:
        """Renewed in time: ten minutes outlast one."""
        return self._world.login("developer")

    def _built(self, release: dict[str, Any]) -> None:
        def state() -> bool:
            found = self._world.ask("GET", f"/releases/{release['id']}", self._token()).ok(200)
            assert found["state"] != "FAILED", found["reason"]
            return bool(found["state"] == "BUILT")

        self._world.until(state, PATIENCE, "the release is built")


def false_respawns(world: RealWorld, minutes: float) -> dict[str, float]:
    """Replicas replaced while nothing died; suspicions that came to nothing stand beside."""
    began, end = datetime.now(UTC), time.monotonic() + 60 * minutes
    builders = [Builder(world) for _ in range(AT_ONCE)]
    threads = [threading.Thread(target=one.run, args=(end,)) for one in builders]
    for thread in threads:
        thread.start()
    loads = []
    while any(thread.is_alive() for thread in threads):
        loads.append(os.getloadavg()[0])
        threads[0].join(5)
        for thread in threads[1:]:
            thread.join(0.1)
    items = world.ask("GET", "/incidents?limit=200", world.login("operator")).ok(200)["items"]
    mine = [i for i in items if datetime.fromisoformat(i["opened"]) >= began and i["kind"] in ("replica", "silence")]
    replaced = [i for i in mine if i["outcome"] == "replaced"]
    built, failed = sum(b.built for b in builders), sum(b.failed for b in builders)
    print(f"busy: {minutes:g} minutes, {AT_ONCE} builds at once, {built} built, {failed} failed, load up to {max(loads):.1f}")
    print(f"  suspected {len(mine)}, of which replaced {len(replaced)}: {[i['title'] for i in mine]}", flush=True)
    return {"false_respawns": float(len(replaced))}
