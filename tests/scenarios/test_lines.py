"""What an app prints, and what its build says, is found by whose it is and by the action it belongs to."""

from __future__ import annotations

from typing import Any

from tests.scenarios.story import new_name, new_trace, upload, wait_for
from tests.scenarios.world import World

APP = '''import http.server, json, os
print("began to serve")
print("ERROR this is only a word")
print(json.dumps({"message": "structured", "level": "warning", "shelf": 4}))

def respond(method, path):
    print("asked for", path)
    return 200, {}, "here"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, _, body = respond("GET", self.path)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass

if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
'''
MANIFEST = """berth: 1
name: {name}
version: 1.0.0
services:
  web:
    runtime: python
    command: python app.py
    port: 8000
    public: true
"""


def lines(world: World, token: str, query: str) -> list[dict[str, Any]]:
    """Oldest first."""
    found: list[dict[str, Any]] = world.ask("GET", f"/lines?order=oldest&{query}", token).ok(200)["items"]
    return found


def test_an_apps_lines_and_its_builds_are_found(world: World) -> None:
    token, name, trace = world.login("developer"), new_name("prints"), new_trace()
    release = upload(world, token, {"berth.yml": MANIFEST.format(name=name), "app.py": APP}, trace)
    made = world.ask("POST", "/deployments", token, json={"release": release["id"]}, trace=trace).ok(201)
    d = wait_for(world, token, made["id"], "RUNNING", 1)
    world.until(lambda: world.visit(d["link"], "seen").status == 200 or None, 30, "the app answers")

    def printed() -> list[dict[str, Any]] | None:
        found = lines(world, token, f"deployment={d['id']}&limit=1000")
        return found if any(line["text"] == "asked for /seen" for line in found) else None

    found = world.until(printed, 15, "what the app printed")
    first = found[0]
    assert first["text"].startswith("began ")
    assert (first["kind"], first["workspace"], first["app"]) == ("app", world.workspace("developer"), name)
    assert (first["generation"], first["service"], first["release"]) == (1, "web", release["id"])
    assert first["instance"] and first["node"]
    levels = {line["text"]: line["level"] for line in found}
    assert levels["ERROR this is only a word"] == "error" and levels["structured shelf=4"] == "warning"

    def built() -> list[dict[str, Any]] | None:
        said = lines(world, token, f"correlation={trace}&kind=build")
        return said if any(line["text"].startswith("Built in ") for line in said) else None

    build = world.until(built, 15, "the build's lines")
    assert {(line["release"], line["app"]) for line in build} == {(release["id"], name)}
    world.ask("POST", f"/deployments/{d['id']}/stop", token).ok(202)
    wait_for(world, token, d["id"], "STOPPED", 2)
