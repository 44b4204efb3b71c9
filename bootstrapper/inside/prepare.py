"""Ready means answered in its own protocol; then topics, users and roles are made. One program, given `wanted.json`."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SECRETS = Path("/run/secrets")
WANTED: dict[str, Any] = json.loads((SECRETS / "wanted.json").read_text())
PAUSE = 0.2


def until(name: str, ask: Callable[[], None], end: float, failed: list[str]) -> None:
    began, why = time.monotonic(), None
    while time.monotonic() < end:
        try:
            ask()
        except Exception as error:
            why = error
            time.sleep(PAUSE)
            continue
        print(f"ready {name} {time.monotonic() - began:.2f} s", flush=True)
        return
    failed.append(name)
    print(f"NOT READY {name}: {why!r}", flush=True)


def main(names: Sequence[str]) -> int:
    from bootstrapper.inside.questions import QUESTIONS

    logging.disable(logging.CRITICAL)
    end = time.monotonic() + float(WANTED["seconds"])
    failed: list[str] = []
    asked = {n: q for n, q in QUESTIONS.items() if n in WANTED and (not names or n in names)}
    threads = [
        threading.Thread(target=until, args=(n, lambda q=q, n=n: q(WANTED[n], SECRETS), end, failed))
        for n, q in asked.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
