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
    return "" if answer.status == 200 else f"{answer.status} {sentence(body)}"


def sentence(body: str) -> str:
    """A problem's own words."""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return body[:300]


def wait(service: str, end: float, said: dict[str, str]) -> None:
    began, last = time.monotonic(), ""
    while (why := why_not(service)) and time.monotonic() < end:
        last = why
        time.sleep(PAUSE)
    said[service] = why
    if last and not why:
        print(f"{service} after {time.monotonic() - began:.1f} s; before: {last}", flush=True)


def main() -> int:
    """Prints one JSON object: service -> why it is not ready, empty where it is. 1 where one is not."""
    task = json.loads(Path("/run/secrets/services.json").read_text())
    end = time.monotonic() + float(task["seconds"])
    said: dict[str, str] = {}
    threads = [threading.Thread(target=wait, args=(s, end, said)) for s in task["services"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(said), flush=True)
    return 1 if any(said.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
