"""`berth demo`: a platform with a simulated building, this machine as a device, and a sample app that shows their values live."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from backbone.clock import SystemClock
from bootstrapper import commands
from bootstrapper.asking import Api
from bootstrapper.containers import Container, Containers
from bootstrapper.engine import Engine
from bootstrapper.files import write
from bootstrapper.installation import Installation, known
from bootstrapper.prepared import ROOT
from bootstrapper.progress import Progress
from bootstrapper.shell import Failed
from bootstrapper.up import alone, root
from bootstrapper.vault import Vault
from contracts import archive

T = TypeVar("T")
DEVELOPER = "dora"
APP, MACHINE, PLACE = "comfort", "this-machine", "here/this-machine"
MACHINE_KINDS = ("cpu", "memory", "disk", "load", "temperature")
FRESH = timedelta(seconds=15)
WITHIN = 120.0
UID = 10101
CA = "/run/secrets/ca.crt"
DOOR = "https://haproxy:8443"


@dataclass(frozen=True)
class Shown:
    """What the demo ends with."""

    app: str
    ui: str
    api: str
    ca: str
    logins: list[dict[str, str]]


def demo(name: str = "berth", base_port: int | None = None, quiet: bool = False, as_json: bool = False) -> int:
    """`up`, then everything of the demo that is not there yet; 0 only once the link shows readings that are fresh."""
    if code := commands.up(name, base_port, quiet):
        return code
    progress, clock = Progress(quiet), SystemClock()
    installation = known(root(), name)
    assert installation is not None, "up leaves its facts"
    try:
        began = clock.monotonic()
        with alone(installation.home):
            shown = Demo(installation, progress.say).make()
        progress.say(f"{clock.monotonic() - began:6.1f} s  the demo stands")
    except Failed as failed:
        progress.console.print(f"{failed.cause}\n  next: {failed.mend or './berth doctor'}", markup=False)
        return 1
    print(json.dumps(shown.__dict__) if as_json else _text(shown), flush=True)
    return 0


class Demo:
    def __init__(self, installation: Installation, say: Callable[[str], None]) -> None:
        self.installation, self.say, self.clock = installation, say, SystemClock()
        self.vault, self.engine = Vault(installation), Engine()
        self.ca = installation.home / "ca.crt"
        self.api = Api(f"https://localhost:{installation.port('https')}", self.ca)
        self.kept = installation.secrets / "all"

    def make(self) -> Shown:
        people = {user: (role, password) for user, role, password in self.vault.people()}
        self.api.log_in(DEVELOPER, people[DEVELOPER][1])
        devices = {d["name"]: d["id"] for d in self.api.ask("GET", "/devices")[1]["items"]}
        self._building(devices)
        self._machine(devices)
        link = self._app()
        logins = [{"role": role, "username": user, "password": password} for user, (role, password) in people.items()]
        return Shown(link, self.api.url, f"{self.api.url}/api/v1", str(self.ca), logins)

    # -- devices: plain containers that know the front door and their own tokens, nothing else -----------------------------

    def _building(self, devices: dict[str, str]) -> None:
        from cli.building import read_building

        tokens = self._tokens("demo-building.json", [room.device for room in read_building()], devices)
        command = ("python3", "-m", "cli.simulate", "--url", DOOR, "--tokens", "/run/secrets/tokens.json", "--ca", CA, "--hour", "10")
        self._run("demo-building", command, {"tokens.json": json.dumps(tokens)}, {})

    def _machine(self, devices: dict[str, str]) -> None:
        from cli.device import Machine, description

        keys = [key for key in MACHINE_KINDS if key in Machine().values()]
        tokens = self._tokens("demo-machine.json", [description(MACHINE, PLACE, keys)], devices)
        command = ("python3", "-m", "cli.device", "--url", DOOR, "--token-file", "/run/secrets/token", "--ca", CA)
        binds = {"/proc": "/host/proc:ro", "/": "/host/root:ro", "/sys": "/sys:ro"}
        self._run("demo-machine", command, {"token": tokens[MACHINE]}, binds)

    def _tokens(self, file: str, wanted: list[dict[str, Any]], devices: dict[str, str]) -> dict[str, str]:
        """Device -> token: those we kept; a device that is new is added, one whose token we lost gets another."""
        path = self.kept / file
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        tokens: dict[str, str] = {}
        for body in wanted:
            name = body["name"]
            if name in devices and name in kept:
                tokens[name] = kept[name]
                continue
            there = devices.get(name)
            _, made = (
                self.api.ask("POST", f"/devices/{there}/token", {}) if there else self.api.ask("POST", "/devices", body)
            )
            tokens[name] = made["token"]
            write(path, json.dumps(kept | tokens), 0o600)
        return tokens

    def _run(self, name: str, command: tuple[str, ...], secrets: dict[str, str], binds: dict[str, str]) -> None:
        own = self.installation
        service = self.engine.call("GET", f"/services/{own.own('identity')}")
        image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        folder = self.vault.give(name, UID, {**secrets, "ca.crt": self.vault.read("ca.crt")})
        container = Container(own.own(name), image, UID, 128, ((own.name, ()),), binds, command=command, secrets=folder)
        if Containers(self.engine, own).run(container):
            self.say(f"started {own.own(name)}")

    # -- the sample app ---------------------------------------------------------------------------------------------------

    def _app(self) -> str:
        release = self._release()
        d = next(iter(self.api.ask("GET", f"/deployments?workspace={DEVELOPER}&name={APP}")[1]["items"]), None)
        wanted = (
            d
            and d["wanted"]["wish"] == "run"
            and d["wanted"]["state"] != "FAILED"
            and d["release"]["id"] == release["id"]
        )
        if not wanted:
            d = self.api.ask("POST", "/deployments", {"release": release["id"], "name": APP})[1]
            self.say(f"deploying {APP} {release['version']}")
        assert d is not None
        path = f"/deployments/{d['id']}"
        link: str = self._until(lambda: self._link(self.api.ask("GET", path)[1]), f"{APP} did not come up")
        self._until(lambda: self._fresh(link), f"{link} shows no fresh readings")
        return link

    def _release(self) -> dict[str, Any]:
        file = io.BytesIO()
        archive.pack(ROOT / "examples" / APP, file)
        made: dict[str, Any] = self.api.ask("POST", "/releases", file.getvalue(), "application/zip")[1]
        return made

    def _link(self, d: dict[str, Any]) -> str | None:
        if d["wanted"]["state"] == "FAILED":
            raise Failed(
                f"{APP} failed: {d['wanted']['reason']}\n{d['wanted']['hint']}", f"correlation {d['correlation']}"
            )
        return d["link"] if d["wanted"]["state"] == "RUNNING" and d["serving"]["ready"] else None

    def _fresh(self, link: str) -> bool:
        """Something of the building and something of this machine, both of the last seconds."""
        found, now = self.api.visit(f"{link}readings.json") or [], self.clock.now()
        kinds = {r["kind"] for r in found if now - datetime.fromisoformat(r["time"]) < FRESH}
        return "temperature" in kinds and bool(kinds & {"cpu", "memory"})

    def _until(self, look: Callable[[], T | None], otherwise: str) -> T:
        end = self.clock.monotonic() + WITHIN
        while self.clock.monotonic() < end:
            if found := look():
                return found
            self.clock.sleep(0.1)
        raise Failed(f"{otherwise} within {WITHIN:.0f} s.", "berth status; berth ps")


def _text(shown: Shown) -> str:
    lines = [
        f"The app    {shown.app}",
        f"The pages  {shown.ui}",
        f"The API    {shown.api}",
        f"The CA     {shown.ca}",
        "",
    ]
    width = max(len(login["username"]) for login in shown.logins)
    lines += [f"{login['username']:<{width}}  {login['password']}  {login['role']}" for login in shown.logins]
    return "\n".join(lines)
