"""haproxy.cfg as text: what is fixed, what changes, and what survives writing it again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from contracts.roles import ROUTES
from gateway import config, render
from gateway.door import BACKENDS, NOUNS, OTHERWISE, Door

PEM = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7b1n\n-----END PUBLIC KEY-----\n"


def test_every_noun_of_the_table_of_routes_has_a_backend() -> None:
    for route in ROUTES:
        assert not route.owner or route.owner in BACKENDS
        assert not route.owner or NOUNS[route.pattern.split("/")[3]] == route.owner or route in OTHERWISE


def test_routes_served_elsewhere_than_their_noun_have_no_parameter() -> None:
    assert [(r.method, r.pattern) for r in OTHERWISE] == [("POST", "/api/v1/readings"), ("GET", "/api/v1/readings/socket")]
    assert not any("{" in r.pattern for r in OTHERWISE)


def test_subsystems_are_found_by_their_services_names() -> None:
    door = Door(installation="mine")
    assert door.service("sensor_manager.intake") == "mine-sensor-manager-intake:8000"
    assert "server-template r 4 mine-app-controller:8000 resolvers docker init-addr none" in config.render(door)


def test_only_the_tail_changes_with_routes() -> None:
    door = Door(routes=2, slots=3)
    text = config.with_apps(config.render(door), door, {"r2": [("10.0.0.1:30001", 256), ("10.0.0.2:30002", 128)]})
    head, _, tail = text.partition(config.MARK)
    assert head == config.front(door)
    assert "backend r1 from apps\n  server s1 127.0.0.1:1 disabled\n" in tail
    assert "  server s1 10.0.0.1:30001 weight 256\n  server s2 10.0.0.2:30002 weight 128\n  server s3 127.0.0.1:1 disabled\n" in tail


def test_a_file_without_the_mark_is_not_touched() -> None:
    with pytest.raises(ValueError, match="run `up` again"):
        config.with_apps("global\n", Door(), {})


def test_rendering_again_keeps_the_routes(tmp_path: Path) -> None:
    door = Door(routes=2)
    render.write(tmp_path, door, [PEM], "certificate and key")
    (tmp_path / "routes.map").write_text("/dora/comfort/ r1\n")
    (tmp_path / "haproxy.cfg").write_text(config.with_apps(config.render(door), door, {"r1": [("10.0.0.1:30001", 1)]}))
    render.write(tmp_path, Door(routes=2, public_url="https://elsewhere:8443"), [PEM, PEM])
    assert "10.0.0.1:30001" in (tmp_path / "haproxy.cfg").read_text()
    assert "elsewhere" in (tmp_path / "haproxy.cfg").read_text()
    assert (tmp_path / "routes.map").read_text() == "/dora/comfort/ r1\n"
    assert (tmp_path / "key-1.pem").read_text() == PEM
    assert (tmp_path / "tls.pem").stat().st_mode & 0o777 == 0o400


def test_another_number_of_routes_starts_without_any(tmp_path: Path) -> None:
    render.write(tmp_path, Door(routes=2), [PEM])
    (tmp_path / "routes.map").write_text("/dora/comfort/ r1\n")
    render.write(tmp_path, Door(routes=3), [PEM])
    assert (tmp_path / "routes.map").read_text() == ""
    assert "backend r3" in (tmp_path / "haproxy.cfg").read_text()


def test_keys_are_taken_one_by_one_from_a_bundle() -> None:
    assert render.pems("noise\n" + PEM + PEM) == [PEM, PEM]


def test_no_query_or_header_is_logged() -> None:
    text = config.render(Door(routes=1))
    assert text.count("log-format") == 3
    for line in text.splitlines():
        if "log-format" in line:
            assert "%HU" not in line and "%r" not in line and "req.hdr" not in line and "capture" not in line


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed here: apt-get install haproxy")
def test_haproxy_takes_the_file(tmp_path: Path) -> None:
    door = Door(routes=3, folder=str(tmp_path))
    subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *subject]
    subprocess.run([*made, "-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "c")], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", str(tmp_path / "k"), "-pubout"], check=True, capture_output=True, text=True).stdout
    render.write(tmp_path, door, [public], (tmp_path / "c").read_text() + (tmp_path / "k").read_text())
    checked = subprocess.run(["haproxy", "-c", "-f", str(tmp_path / "haproxy.cfg")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr
