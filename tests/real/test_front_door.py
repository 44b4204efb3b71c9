"""The front door for real: HAProxy as `up` starts it, written by the gateway's own code, asked as people, devices and apps do."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from backbone.clock import SystemClock
from backbone.tokens import SigningKey, new_key
from gateway.front_door import FrontDoor, Server
from tests.support.front_door import RealDoor, docker, real_door, until
from tests.support.front_door_promise import PROMISES, emptied

pytestmark = pytest.mark.real
PATH = "/dora/comfort/"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDoor]:
    with real_door(tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.fixture(scope="module")
def instances(door: RealDoor) -> list[str]:
    return [door.echo("one"), door.echo("two"), door.echo("three")]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("GET", "/api/v1/apps", "app_controller"),
        ("GET", "/api/v1/deployments/1/events", "app_controller"),
        ("POST", "/api/v1/readings", "sensor_manager.intake"),
        ("GET", "/api/v1/readings?sensor=1", "sensor_manager.api"),
        ("GET", "/api/v1/streams/needs", "sensor_manager.streams"),
        ("GET", "/api/v1/nodes", "node_manager.api"),
        ("GET", "/api/v1/builds/1/log", "deployer"),
        ("GET", "/api/v1/subsystems", "monitor"),
        ("GET", "/api/v1/openapi/deployer", "deployer"),
        ("GET", "/", "platform_ui"),
        ("POST", "/api/v1/session", "identity"),
        ("POST", "/api/v1/session/refresh", "identity"),
    ],
)
@pytest.mark.parametrize("listener", ["tls", "internal"])
def test_method_and_path_choose_the_subsystem(door: RealDoor, listener: str, method: str, path: str, who: str) -> None:
    answer = door.clients[listener].request(method, path, headers=bearer(door.token()))
    assert answer.status_code == 200
    if not path.endswith("/events"):
        assert answer.json()["host"] == who


def test_an_unknown_noun_is_a_problem_with_its_correlation(door: RealDoor) -> None:
    answer = door.clients["tls"].get("/api/v1/appsx", headers=bearer(door.token()))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert re.fullmatch("[0-9a-f]{32}", answer.json()["correlation"])


def tampered(token: str) -> str:
    head, body, signature = token.split(".")
    raw = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(raw | {"roles": ["admin"]}).encode()).decode().rstrip("=")
    return f"{head}.{changed}.{signature}"


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{head}.{token.split('.')[1]}."


def test_only_sound_tokens_pass(door: RealDoor) -> None:
    client, good = door.clients["tls"], door.token()
    refused = {
        "none": {},
        "no bearer": {"Authorization": f"Basic {good}"},
        "garbage": bearer("x.y.z"),
        "ended": bearer(door.token(-1)),
        "another key": bearer(door.token(key=SigningKey(new_key()))),
        "tampered": bearer(tampered(good)),
        "alg none": bearer(unsigned(good)),
    }
    answers = {why: client.get("/api/v1/apps", headers=headers) for why, headers in refused.items()}
    assert {why: a.status_code for why, a in answers.items()} == dict.fromkeys(refused, 401)
    assert all(a.headers["www-authenticate"] == "Bearer" and a.json()["status"] == 401 for a in answers.values())
    assert client.get("/api/v1/apps", headers=bearer(good)).status_code == 200
    assert client.delete("/api/v1/session").status_code == 401


def test_a_revoked_token_is_refused_at_once_and_after_a_restart(door: RealDoor) -> None:
    client, token = door.clients["tls"], door.token(jti="revoked-1")
    assert client.get("/api/v1/apps", headers=bearer(token)).status_code == 200
    door.door.revoke({"revoked-1": "2099-01-01T00:00:00Z"})
    answer = client.get("/api/v1/apps", headers=bearer(token))
    assert answer.status_code == 401 and "revoked" in answer.json()["detail"]
    door.restart()
    assert door.clients["tls"].get("/api/v1/apps", headers=bearer(token)).status_code == 401
    door.door.revoke({})
    assert door.clients["tls"].get("/api/v1/apps", headers=bearer(token)).status_code == 200


def test_a_trace_is_kept_or_made_and_stands_in_the_log(door: RealDoor) -> None:
    client, trace = door.clients["tls"], "a" * 31 + "b"
    kept = client.get("/here?secret=1", headers={"traceparent": f"00-{trace}-{'1' * 16}-01"}).json()["headers"]["traceparent"]
    made = client.get("/there", headers={"traceparent": "nonsense"}).json()["headers"]["traceparent"]
    assert kept == f"00-{trace}-{'1' * 16}-01"
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", made)
    lines = until(lambda: [line for line in door.log() if line["correlation"] in (trace, made.split("-")[1])], 5)
    assert [(line["path"], line["status"], line["method"]) for line in lines] == [("/here", 200, "GET"), ("/there", 200, "GET")]
    assert not any("secret" in json.dumps(line) for line in door.log())


def test_paths_have_one_spelling(door: RealDoor) -> None:
    """Asked over a socket, since clients mend paths themselves."""
    for path in ("/api/v1/../v1/apps", "/api//v1/apps", "/api/v1/%61pps", "/x/../api/v1/apps", "/./api/v1/apps", "/%2e%2e/api/v1/apps"):
        assert raw(door, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 401"), path


def raw(door: RealDoor, request: str, listener: str = "tls", wait: float = 5) -> bytes:
    """What came until the other side closed, or in `wait` seconds."""
    url = urlsplit(str(door.clients[listener].base_url))
    with socket.create_connection(("127.0.0.1", url.port or 0), timeout=wait) as plain:
        tls = ssl.create_default_context(cafile=str(door.folder / "ca.crt"))
        with tls.wrap_socket(plain, server_hostname="localhost") if url.scheme == "https" else plain as line:
            line.sendall(request.encode())
            got = b""
            try:
                while part := line.recv(65536):
                    got += part
            except TimeoutError:
                pass
            return got


def test_bodies_have_a_size_and_uploads_a_larger_one(door: RealDoor) -> None:
    head = "Host: x\r\nConnection: close\r\nAuthorization: Bearer " + door.token() + "\r\nContent-Length: "
    assert b" 413 " in raw(door, f"POST /api/v1/deployments HTTP/1.1\r\n{head}{9 << 20}\r\n\r\n")[:20]
    assert b" 413 " in raw(door, f"POST /api/v1/releases HTTP/1.1\r\n{head}{2 << 30}\r\n\r\n")[:20]
    answer = door.clients["tls"].post("/api/v1/releases", content=b"x" * (12 << 20), headers=bearer(door.token()))
    assert answer.json()["body"] == 12 << 20


def test_guessing_passwords_is_slowed_and_only_at_the_public_door(door: RealDoor) -> None:
    wrong = {"username": "dora", "password": "wrong"}
    codes = [door.clients["tls"].post("/api/v1/session", json=wrong).status_code for _ in range(14)]
    assert codes[:10] == [401] * 10 and codes[-1] == 429
    last = door.clients["tls"].post("/api/v1/session", json=wrong)
    assert last.headers["retry-after"] == "10" and last.json()["status"] == 429
    assert door.clients["tls"].get("/api/v1/apps", headers=bearer(door.token())).status_code == 200
    assert door.clients["internal"].post("/api/v1/session", json=wrong).status_code == 401


def test_half_a_request_is_let_go_after_ten_seconds(door: RealDoor) -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    answer = raw(door, "GET /api/v1/apps HTTP/1.1\r\nHost: x\r\n", wait=15)
    assert answer.startswith(b"HTTP/1.1 408") and 9 < clock.monotonic() - begun < 13


def test_plain_http_answers_the_api_and_sends_pages_to_https(door: RealDoor) -> None:
    client = door.clients["plain"]
    assert client.get("/api/v1/apps", headers=bearer(door.token())).status_code == 200
    page = client.get("/apps/comfort?x=1")
    assert (page.status_code, page.headers["location"]) == (308, "https://localhost:8443/apps/comfort?x=1")


def test_old_tls_is_refused(door: RealDoor) -> None:
    url = urlsplit(str(door.clients["tls"].base_url))
    old = ssl.create_default_context(cafile=str(door.folder / "ca.crt"))
    old.minimum_version = ssl.TLSVersion.TLSv1_1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)), socket.create_connection(("127.0.0.1", url.port or 0), timeout=5) as line:
        old.wrap_socket(line, server_hostname="localhost")


def test_a_replica_that_dies_is_passed_over_and_a_new_one_is_found(door: RealDoor) -> None:
    client, alias = door.clients["tls"], f"{door.name}-monitor"
    docker("rm", "-f", alias)
    gone = until(lambda: (a := client.get("/api/v1/subsystems", headers=bearer(door.token()))).status_code == 503 and a, 5)
    assert gone.headers["content-type"] == "application/problem+json" and "monitor" in gone.json()["detail"]
    clock = SystemClock()
    door.echo("monitor", alias)
    begun = clock.monotonic()
    until(lambda: client.get("/api/v1/subsystems", headers=bearer(door.token())).status_code == 200, 10)
    assert clock.monotonic() - begun < 4


@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
def test_haproxy_keeps_the_twins_promise(door: RealDoor, promise: Callable[[FrontDoor], None]) -> None:
    promise(emptied(door.door))


# ---- apps -------------------------------------------------------------------------------------------------------------


def test_a_link_leads_to_the_app_without_prefix_cookies_and_tokens(door: RealDoor, instances: list[str]) -> None:
    door.door.put(PATH, [Server(instances[0])])
    cookies = "__Host-berth=secret; mine=1; berth_session=2; other=berth"
    answer = door.clients["apps"].get(PATH + "a/b?x=%20y", headers=bearer("secret") | {"Cookie": cookies, "X-Forwarded-For": "6.6.6.6"})
    seen = answer.json()
    assert (seen["host"], seen["path"]) == ("one", "/a/b?x=%20y")
    assert seen["headers"]["cookie"] == "mine=1; other=berth"
    assert "authorization" not in seen["headers"]
    assert seen["headers"]["x-forwarded-prefix"] == "/dora/comfort" and seen["headers"]["x-forwarded-proto"] == "https"
    assert "6.6.6.6" not in seen["headers"]["x-forwarded-for"]
    assert answer.headers.get_list("set-cookie") == ["refused=; Max-Age=0", "own=1"]
    only = door.clients["apps"].get(PATH, headers={"Cookie": "__Host-berth=secret"}).json()
    assert "cookie" not in only["headers"]


def test_an_app_cannot_be_left_for_another(door: RealDoor, instances: list[str]) -> None:
    door.door.put(PATH, [Server(instances[0])])
    door.door.put("/otto/other/", [Server(instances[1])])
    for path in ("/otto/other/../../dora/comfort/x", "/otto/other/%2e%2e/%2e%2e/dora/comfort/x"):
        answer = raw(door, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "apps")
        assert b'"host": "one"' in answer and b'"x-forwarded-prefix": "/dora/comfort"' in answer


def test_links_redirect_are_unknown_or_down(door: RealDoor) -> None:
    client = door.clients["apps"]
    door.door.put("/dora/down/", [])
    moved = client.get("/dora/down?x=1")
    assert (moved.status_code, moved.headers["location"]) == (308, "/dora/down/?x=1")
    unknown, down = client.get("/nobody/nothing/"), client.get("/dora/down/")
    assert unknown.status_code == 404 and "No app answers here" in unknown.text
    assert down.status_code == 503 and "does not answer now" in down.text
    assert all("<html" in page.text and page.headers["content-type"].startswith("text/html") for page in (unknown, down))
    door.door.drop("/dora/down/")
    assert client.get("/dora/down/").status_code == 404


def test_event_streams_and_websockets_pass(door: RealDoor, instances: list[str]) -> None:
    door.door.put(PATH, [Server(instances[0])])
    clock = SystemClock()
    with door.clients["apps"].stream("GET", PATH + "events", headers={"Accept": "text/event-stream"}) as stream:
        begun = clock.monotonic()
        first = next(stream.iter_lines())
        assert first == "data: 0" and clock.monotonic() - begun < 0.25
    upgrade = f"GET {PATH}ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    upgrade += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nping"
    assert raw(door, upgrade, "apps").endswith(b"PING")


def test_dead_instances_cost_no_request_also_while_the_living_one_is_busy(door: RealDoor, instances: list[str]) -> None:
    host = instances[0].rpartition(":")[0]
    door.door.put(PATH, [Server(instances[0]), Server(f"{host}:1"), Server(f"{host}:2")])
    with door.clients["apps"].stream("GET", PATH + "events"):
        assert {door.clients["apps"].get(PATH).status_code for _ in range(20)} == {200}


def test_a_hundred_swaps_under_load_fail_no_request(door: RealDoor, instances: list[str]) -> None:
    door.door.put(PATH, [Server(instances[0])])
    stop, failed, good = threading.Event(), list[str](), list[int]()
    url, context = str(door.clients["apps"].base_url), ssl.create_default_context(cafile=str(door.folder / "ca.crt"))

    def visit() -> None:
        with httpx.Client(base_url=url, verify=context, timeout=10) as client:
            while not stop.is_set():
                try:
                    status = client.get(PATH).status_code
                except httpx.HTTPError as error:
                    failed.append(repr(error))
                else:
                    good.append(1) if status == 200 else failed.append(str(status))

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(visit)
        try:
            for n in range(100):
                before = len(good)
                door.door.put(PATH, [Server(instances[(n + 1) % 3])])
                door.door.tend()
                until(lambda seen=before: failed or len(good) > seen, 10)  # each swap has been visited, however slow the machine
        finally:
            stop.set()
    assert failed == [] and len(good) >= 100


def test_a_route_is_there_within_fifty_milliseconds_and_after_a_restart(door: RealDoor, instances: list[str]) -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    door.door.put("/dora/fresh/", [Server(instances[2])])
    assert door.clients["apps"].get("/dora/fresh/").json()["host"] == "three"
    assert clock.monotonic() - begun < 0.5
    door.restart()
    assert door.clients["apps"].get("/dora/fresh/").json()["host"] == "three"
    assert door.door.table()["/dora/fresh/"] == (Server(instances[2]),)


def test_a_reload_by_up_keeps_routes_and_open_streams(door: RealDoor, instances: list[str]) -> None:
    door.door.put(PATH, [Server(instances[0], 7), Server(instances[1], 9)])
    with door.clients["apps"].stream("GET", PATH + "events") as stream:
        lines = stream.iter_lines()
        first = next(lines)
        docker("kill", "-s", "USR2", door.name)
        until(lambda: door.clients["tls"].get("/").status_code == 200 and door.door.table(), 10)
        assert [first, *(line for line in lines if line)] == ["data: 0", "data: 1", "data: 2"]
    assert door.door.table()[PATH] == tuple(sorted((Server(instances[0], 7), Server(instances[1], 9))))
    assert door.clients["apps"].get(PATH).status_code == 200
