"""The node's firewall for real: what an app's instance reaches, who reaches an instance, and that it stays so."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from backbone.clock import SystemClock
from backbone.containers.engine_connection import Connection
from backbone.containers.engine_host import EngineHost
from backbone.settings import Settings
from node_manager.firewall import SCRIPT, Firewall, Walls
from tests.support.front_door import docker, newest
from tests.support.ranges import free_ranges

pytestmark = pytest.mark.real
LISTEN = "import socket\ns = socket.create_server(('', 8000))\nwhile True:\n    c, _ = s.accept(); c.sendall(b'hi'); c.close()"
REACH = """
import json, socket, sys
def reach(address):
    host, _, port = address.rpartition(':')
    try:
        with socket.create_connection((host, int(port)), timeout=1.5) as c:
            return 'open' if c.recv(2) == b'hi' else 'closed'
    except ConnectionRefusedError: return 'refused'
    except TimeoutError: return 'nothing'
    except OSError as e: return 'refused' if e.errno in (113, 101, 1, 13) else repr(e)
print(json.dumps({a: reach(a) for a in sys.argv[1:]}))
"""


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


def node_address() -> str:
    """This node's, as Swarm knows it, else that of its way out."""
    known = docker("info", "-f", "{{.Swarm.NodeAddr}}")
    if known:
        return known
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("192.0.2.1", 9))
        return str(way.getsockname()[0])


@dataclass
class Machine:
    """An installation's networks on this machine, with apps, a front door, a backing service, and someone outside."""

    name: str
    address: str
    wall: Firewall
    host: EngineHost
    apps: dict[str, str]
    front: str
    backing: str
    overlay: str
    sshd: int
    outside: str

    def from_app(self, app: str, *addresses: str) -> dict[str, str]:
        return self.from_container(f"{self.name}-{app}", *addresses)

    def from_container(self, container: str, *addresses: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(docker("exec", container, "python3", "-c", REACH, *addresses))
        return found

    def from_outside(self, *addresses: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(sh("ip", "netns", "exec", self.name, "python3", "-c", REACH, *addresses))
        return found

    def published(self, app: str) -> str:
        return f"{self.address}:{docker('port', f'{self.name}-{app}', '8000').splitlines()[0].rpartition(':')[2]}"

    def mark(self) -> str:
        return hashlib.sha1(self.name.encode()).hexdigest()[:4]


def network(name: str, interface: str, subnet: str, *more: str) -> None:
    docker("network", "create", "--subnet", subnet, "-o", f"com.docker.network.bridge.name={interface}", *more, name)


def listener(name: str, network: str, *words: str) -> str:
    base = ["--cap-drop", "ALL", "--user", "20001", "--entrypoint", "python3", newest("berth/runtime-python"), "-c", LISTEN]
    docker("run", "-d", "--name", name, "--network", network, *words, *base)
    found: str = json.loads(docker("inspect", name))[0]["NetworkSettings"]["Networks"][network]["IPAddress"]
    return f"{found}:8000"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    newest("berth/runtime-python")
    name, address = f"gate-test-{SystemClock().new_id()[-6:]}", node_address()
    mark = hashlib.sha1(name.encode()).hexdigest()[:4]
    ranges = free_ranges(4)
    gateway = str(ipaddress.ip_network(ranges[3])[1])
    server = socket.create_server(("", 0))
    sshd = server.getsockname()[1]
    threading.Thread(target=greet, args=(server,), daemon=True).start()
    try:
        closed = ("-o", "com.docker.network.bridge.enable_icc=false")
        network(f"{name}-plat", f"ba{mark}-plat", ranges[0], *closed)
        network(f"{name}-inet", f"ba{mark}-inet", ranges[1], *closed)
        network(f"{name}-own", f"bp{mark}", ranges[2])
        docker("network", "create", "-d", "overlay", "--attachable", f"{name}-overlay")
        sh("ip", "netns", "add", name)
        sh("ip", "link", "add", f"go{mark}", "type", "veth", "peer", "name", "eth0", "netns", name)
        # an address of the internet as far as the rules go: of no private range
        sh("ip", "addr", "add", "198.51.100.1/24", "dev", f"go{mark}")
        sh("ip", "link", "set", f"go{mark}", "up")
        for words in (("addr", "add", "198.51.100.2/24", "dev", "eth0"), ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
            sh("ip", "-n", name, *words)
        sh("ip", "-n", name, "route", "add", "default", "via", "198.51.100.1")
        away = subprocess.Popen(["ip", "netns", "exec", name, "python3", "-c", LISTEN])
        open_port = ("-p", "8000")
        listener(f"{name}-front", f"{name}-own", "-p", f"{address}::8000")
        backing = listener(f"{name}-backing", f"{name}-overlay", "-p", f"{address}::8000")
        listener(f"{name}-stranger", "bridge")
        apps = {
            "one": listener(f"{name}-one", f"{name}-plat", *open_port),
            "two": listener(f"{name}-two", f"{name}-plat", *open_port),
            "net": listener(f"{name}-net", f"{name}-inet", *open_port),
        }
        api = f"{address}:{docker('port', f'{name}-front', '8000').splitlines()[0].rpartition(':')[2]}"
        host = EngineHost(Connection(Settings({})), name, newest("berth/platform"))
        wall = Firewall(host, Walls(name, (address,), (address,), (api,), dns=("198.51.100.2",)))
        yield Machine(name, address, wall, host, apps, api, backing, gateway, sshd, "198.51.100.2:8000")
        away.kill()
    finally:
        clean(name, mark)
        server.close()


def greet(server: socket.socket) -> None:
    """Something that listens on the node, as sshd does."""
    try:
        while True:
            line, _ = server.accept()
            line.sendall(b"hi")
            line.close()
    except OSError:
        pass


def clean(name: str, mark: str) -> None:
    helper = f"{name}-firewall"
    if docker("ps", "-q", "-f", f"name=^{helper}$"):
        docker("exec", "-e", f"MARK={mark}", helper, "sh", "-c", SCRIPT.read_text(), "firewall", "clear", check=False)
    docker("node", "update", "--label-rm", f"{name}.apps", docker("info", "-f", "{{.Swarm.NodeID}}"), check=False)
    for container in docker("ps", "-aq", "-f", f"name=^{name}-").split():
        docker("rm", "-f", container, check=False)
    for kind in ("plat", "inet", "own", "overlay"):
        docker("network", "rm", f"{name}-{kind}", check=False)
    sh("ip", "netns", "del", name, check=False)
    sh("ip", "link", "del", f"go{mark}", check=False)


@pytest.fixture(scope="module")
def walled(machine: Machine) -> Machine:
    machine.wall.hold()
    assert machine.wall.reason == ""
    return machine


def test_without_the_firewall_an_instance_reaches_too_much(machine: Machine) -> None:
    """So that the refusals below mean something."""
    sshd = f"{machine.address}:{machine.sshd}"
    assert machine.from_app("one", sshd) == {sshd: "open"}


def test_an_instance_reaches_the_platforms_address(walled: Machine) -> None:
    assert walled.from_app("one", walled.front) == {walled.front: "open"}
    assert walled.from_app("net", walled.front) == {walled.front: "open"}


@pytest.mark.parametrize("app", ["one", "net"])
def test_an_instance_reaches_nothing_else_of_the_platform(walled: Machine, app: str) -> None:
    gateways = [a.rpartition(".")[0] + ".1" for a in walled.apps.values()]
    others = [a for name, a in walled.apps.items() if name != app]
    forbidden = {
        "another app": others,
        "another app by the node's port": [walled.published(name) for name in walled.apps if name != app],
        "the front door past its published port": [docker_ip(walled, "front", "own")],
        "a port of the node, as sshd's": [f"{walled.address}:{walled.sshd}", *(f"{g}:{walled.sshd}" for g in gateways)],
        "a backing service's published port": [walled.published("backing")],
        "a backing service on the overlay": [walled.backing],
        "swarm": [f"{walled.address}:2377", f"{walled.address}:7946"],
        "the metadata service": ["169.254.169.254:80"],
        "a container of someone else": [docker_ip(walled, "stranger", "bridge")],
    }
    found = walled.from_app(app, *(a for addresses in forbidden.values() for a in addresses))
    assert {what: {found[a] for a in addresses} for what, addresses in forbidden.items()} == {w: {"refused"} for w in forbidden}


def docker_ip(machine: Machine, container: str, network: str) -> str:
    networks = json.loads(docker("inspect", f"{machine.name}-{container}"))[0]["NetworkSettings"]["Networks"]
    return f"{networks[network if network == 'bridge' else f'{machine.name}-{network}']['IPAddress']}:8000"


def test_only_the_policy_internet_leads_there(walled: Machine) -> None:
    assert walled.from_app("net", walled.outside) == {walled.outside: "open"}
    assert walled.from_app("one", walled.outside) == {walled.outside: "refused"}


def test_only_the_platforms_own_reach_an_instance(walled: Machine) -> None:
    published, direct = walled.published("one"), walled.apps["one"]
    assert walled.from_container(f"{walled.name}-front", published, direct) == {published: "open", direct: "open"}
    outside = published.replace(walled.address, "198.51.100.1")
    assert walled.from_outside(outside, published, direct) == dict.fromkeys((outside, published, direct), "nothing")
    assert walled.from_container(f"{walled.name}-stranger", published, direct) == dict.fromkeys((published, direct), "nothing")


def test_the_front_door_stays_open_to_the_world(walled: Machine) -> None:
    assert walled.from_outside(walled.front) == {walled.front: "open"}


def test_the_node_is_labelled_once_it_stands(walled: Machine) -> None:
    labels = json.loads(docker("node", "inspect", "self"))[0]["Spec"]["Labels"]
    assert labels[f"{walled.name}.apps"] == "1"


def test_a_jump_that_someone_took_away_is_put_back(walled: Machine) -> None:
    sh("iptables", "-w", "5", "-D", "DOCKER-USER", "-j", f"BERTH-{walled.mark()}-FORWARD")
    assert walled.from_app("one", walled.published("backing")) != {walled.published("backing"): "refused"}
    walled.wall.hold()
    assert walled.wall.reason == ""
    assert walled.from_app("one", walled.published("backing")) == {walled.published("backing"): "refused"}


def test_two_installations_stand_side_by_side(walled: Machine) -> None:
    other = Firewall(walled.host, Walls("gate-test-other", (walled.address,), (walled.address,), ("192.0.2.99:8443",)))
    other._helper, other._label = f"{walled.name}-firewall", f"{walled.name}.other"
    other.hold()
    walled.wall.hold()
    other.hold()
    assert (walled.wall.reason, other.reason) == ("", "")
    assert walled.from_app("one", walled.front, walled.backing) == {walled.front: "open", walled.backing: "refused"}
    words = ("sh", "-c", SCRIPT.read_text(), "firewall", "clear")
    cleared = walled.host.run(f"{walled.name}-firewall", words, other._walls.environment())
    walled.host.label(f"{walled.name}.other", "")
    assert cleared.code == 0
    walled.wall.hold()
    assert walled.from_app("one", walled.front, walled.backing) == {walled.front: "open", walled.backing: "refused"}


def test_an_instance_that_runs_on_is_not_cut_when_the_rules_are_written_again(walled: Machine) -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    walled.wall._rounds = 0
    walled.wall.hold()
    assert walled.wall.reason == "" and clock.monotonic() - begun < 3
