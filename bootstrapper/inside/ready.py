"""Asks every subsystem's /ready until it is 200, and says of each that is not why."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from pathlib import Path

PORT = 8000
PAUSE = 0.1


def why_not(service: str) -> str:
    """Empty where it is ready; else what it says, or that it does not answer."""
    connection = http.client.HTTPConnection(service, PORT, timeout=2)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    except OSError as error:
        return f"does not answer: {error}"
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{answer.status} {body[:400]}"


def wait(service: str, end: float, failed: dict[str, str]) -> None:
    while why := why_not(service):
        if time.monotonic() > end:
            failed[service] = why
            return
        time.sleep(PAUSE)


def main() -> int:
    task = json.loads(Path("/run/secrets/services.json").read_text())
    end = time.monotonic() + float(task["seconds"])
    failed: dict[str, str] = {}
    threads = [threading.Thread(target=wait, args=(s, end, failed)) for s in task["services"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for service, why in sorted(failed.items()):
        print(f"{service}: {why}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
