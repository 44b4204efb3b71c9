"""A HAProxy of its own in a container, on a network of its own with small servers for subsystems and instances; all gone afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from backbone.claims import Claims
from backbone.clock import SystemClock
from backbone.tokens import SigningKey, new_key, sign
from gateway import render
from gateway.door import BACKENDS, Door
from gateway.haproxy import HAProxy

INSTALLATION = "gate-test"
PORTS = {"tls": 8443, "plain": 8080, "apps": 8444, "apps_plain": 8081, "internal": 8090}
ECHO = r"""
import base64, hashlib, json, socket, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if self.headers.get("upgrade") == "websocket":
            key = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest())
            self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            self.wfile.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            self.wfile.write(self.rfile.read(4).upper()); self.close_connection = True
            return
        if self.path.endswith("/events"):
            self.send_response(200); self.send_header("content-type", "text/event-stream"); self.end_headers()
            for n in range(3):
                self.wfile.write(b"data: %d\n\n" % n); self.wfile.flush(); time.sleep(0.3)
            self.close_connection = True
            return
        status = 401 if self.path == "/api/v1/session" and b"wrong" in body else 200
        text = json.dumps({"host": sys.argv[1], "at": socket.gethostname(), "method": self.command, "path": self.path,
                           "headers": {k.lower(): v for k, v in self.headers.items()}, "body": len(body)}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.send_header("set-cookie", "__Host-berth=stolen; Path=/")
        self.send_header("set-cookie", "own=1")
        self.end_headers()
        self.wfile.write(text)
    do_GET = do_POST = do_DELETE = do_HEAD = answer
    def log_message(self, *a): pass
ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("", 8000), H).serve_forever()
"""


def docker(*words: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(words)[:200]}: {done.stderr}")
    return done.stdout.strip()


def newest(image: str) -> str:
    """The image by the name `up` gives it; without it the test is skipped, or fails where REQUIRE_REAL=1."""
    found = docker("image", "ls", "-q", image, check=False).split()
    if not found:
        (pytest.fail if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip)(f"no image {image} here: run `./berth up` once")
    return found[0]


@dataclass
class RealDoor:
    """`door` writes HAProxy as the gateway does; `clients` by listener."""

    folder: Path
    name: str
    network: str
    door: HAProxy
    key: SigningKey
    clients: dict[str, httpx.Client]

    def echo(self, name: str, *aliases: str) -> str:
        """Another small server; gives host:port as HAProxy reaches it."""
        words = [w for a in aliases for w in ("--network-alias", a)]
        image = newest("berth/runtime-python")
        full = f"{self.name}-{name}"
        docker("run", "-d", "--name", full, "--network", self.network, *words, "--entrypoint", "python3", image, "-c", ECHO, name)
        address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", full)
        return f"{address}:8000"

    def token(self, seconds: float = 60, key: SigningKey | None = None, jti: str = "t1") -> str:
        now = datetime.now(UTC)
        claims = Claims(subject="dora", purpose="user", jti=jti, expires=now + timedelta(seconds=seconds), roles=("developer",))
        return sign(claims, key or self.key, INSTALLATION, now)

    def restart(self) -> None:
        docker("restart", "-t", "1", self.name)
        self.connect()
        self.wait()

    def connect(self) -> None:
        """Docker publishes on other ports after each start."""
        for client in self.clients.values():
            client.close()
        authority = str(self.folder / "ca.crt")
        for listener, inside in PORTS.items():
            port = docker("port", self.name, str(inside)).splitlines()[0].rpartition(":")[2]
            scheme = "https" if listener in ("tls", "apps") else "http"
            import ssl

            context = ssl.create_default_context(cafile=authority)
            self.clients[listener] = httpx.Client(base_url=f"{scheme}://localhost:{port}", verify=context, timeout=10)

    def wait(self) -> None:
        until(lambda: self.clients["tls"].get("/").status_code == 200 and self.door.table() is not None, 20)

    def log(self) -> list[dict[str, object]]:
        lines = docker("logs", self.name).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def until(look, seconds: float):  # type: ignore[no-untyped-def]
    clock = SystemClock()
    end, why = clock.monotonic() + seconds, None
    while clock.monotonic() < end:
        try:
            if found := look():
                return found
        except Exception as error:
            why = error
        clock.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {why!r}")


@contextmanager
def real_door(folder: Path) -> Iterator[RealDoor]:
    name = f"gate-test-{SystemClock().new_id()[-8:]}"
    key = SigningKey(new_key())
    image = newest("berth/haproxy")
    names = {"subjectAltName=DNS:localhost,IP:127.0.0.1": "-addext"}
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost", *(w for san, flag in names.items() for w in (flag, san))]
    subprocess.run([*words, "-keyout", str(folder / "tls.key"), "-out", str(folder / "ca.crt")], check=True, capture_output=True)
    aliases = {backend: f"{name}-{backend.replace('_', '-').replace('.', '-')}" for backend in BACKENDS}
    shared = folder / "haproxy"
    inside = Door(installation=INSTALLATION, routes=20, service_names=tuple((b, f"{a}:8000") for b, a in aliases.items()))
    tls = (folder / "ca.crt").read_text() + (folder / "tls.key").read_text()
    render.write(shared, inside, [SigningKey(new_key()).public_pem, key.public_pem], tls)
    shared.chmod(0o777)
    for path in shared.iterdir():
        os.chown(path, 10006, 10006)
    docker("network", "create", name)
    real = RealDoor(folder, name, name, HAProxy(inside, shared), key, {})
    try:
        for backend, alias in aliases.items():
            real.echo(backend, alias)
        published = [w for p in PORTS.values() for w in ("-p", f"127.0.0.1::{p}")]
        volume = ["-v", f"{shared}:/run/haproxy", "--ulimit", "nofile=16384:16384"]
        docker("run", "-d", "--name", name, "--network", name, *published, *volume, image)
        real.connect()
        real.wait()
        yield real
    finally:
        for client in real.clients.values():
            client.close()
        for found in docker("ps", "-aq", "--filter", f"name={name}").split():
            docker("rm", "-f", found, check=False)
        docker("network", "rm", name, check=False)
