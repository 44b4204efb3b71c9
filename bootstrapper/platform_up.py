"""The steps that bring up the platform itself: its images, its front door, its subsystems."""

from __future__ import annotations

import base64
import ssl
import urllib.request
from collections.abc import Callable
from pathlib import Path

from backbone.clock import SystemClock
from bootstrapper import door, down, weight
from bootstrapper.base import Base
from bootstrapper.declared import Subsystem
from bootstrapper.files import digest
from bootstrapper.platform import CODE
from bootstrapper.prepared import ROOT
from bootstrapper.shell import Failed
from bootstrapper.wiring import wires
from bootstrapper.work import Work

KEPT = 5
HERE = Path(__file__).resolve().parent


def python(work: Work) -> None:
    folders = {"site": work.folders["site"] / "site"}
    work.made["python"] = work.images.build("python", work.the_base(), HERE / "python.Dockerfile", (), folders)


def platform(work: Work) -> None:
    """The code is the last layer and named by its content; the pages' vendor files lie among it."""
    folders = {f"code/{name}": ROOT / name for name in CODE if (ROOT / name).is_dir()}
    if (ROOT / "platform_ui/vendor.py").exists():
        folders["vendor"] = work.prepared.vendor(work.folders["modules"])
    key = [f"{name}={digest(path)}" for name, path in folders.items()]
    base = Base(work.made["python"], work.the_base().lists)
    work.made["platform-local"] = work.images.build(
        "platform", base, HERE / "platform.Dockerfile", (), folders, key, heavy=False
    )


def runtime(work: Work) -> None:
    """What Python apps run on, and the image that fetches their packages."""
    sdk = {"sdk/berth": ROOT / "sdk/berth"}
    base = work.the_base()
    made = work.images.build(
        "runtime-python", base, HERE / "runtime-python.Dockerfile", (), sdk, [digest(ROOT / "sdk/berth")]
    )
    work.made["runtime-python-local"] = made
    pip = {"pip": work.folders["pip"]}
    again = Base(made, base.lists)
    work.made["fetch-python"] = work.images.build("fetch-python", again, HERE / "fetch-python.Dockerfile", (), pip)


def registry_answers(work: Work) -> None:
    """dockerd gives up a push at the first refusal, so the registry is asked before."""
    facts = work.where.registry()
    login = base64.b64encode(f"{facts.get('REGISTRY_USER', '')}:{facts.get('REGISTRY_PASSWORD', '')}".encode()).decode()
    request = urllib.request.Request(
        f"https://{facts['REGISTRY_URL']}/v2/", headers={"Authorization": f"Basic {login}"}
    )
    context = ssl.create_default_context()
    context.load_verify_locations(work.installation.home / "ca.crt")
    clock = SystemClock()
    end = clock.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(request, context=context, timeout=3).close()
            return
        except OSError as error:
            if clock.monotonic() > end:
                raise Failed(
                    f"The registry {facts['REGISTRY_URL']} does not answer: {error}", "./berth status"
                ) from error
        clock.sleep(0.1)


def _push(work: Work, local: str, name: str) -> str:
    """Tags in the registry bear the image's own key."""
    registry = work.where.registry()["REGISTRY_URL"]
    return work.images.push(local, f"{registry}/berth/{name}:{local.rpartition(':')[2]}")


def push(work: Work, name: str) -> None:
    local = work.made["python"] if name == "python" else work.made["platform-local"]
    work.made[name if name == "platform" else "python-pushed"] = _push(work, local, name)


def push_runtime(work: Work) -> None:
    work.made["runtime-python"] = _push(work, work.made["runtime-python-local"], "runtime-python")


def front_door(work: Work) -> None:
    if not (ROOT / "gateway/__main__.py").exists():
        return
    changed = door.render(work.containers, work.where, work.vault, work.made["platform-local"])
    door.open_door(work.containers, work.where, work.made["haproxy"], changed)


def service(work: Work, subsystem: Subsystem) -> Callable[[], None]:
    """One whose own code did not change keeps the image it runs from, and so is not rolled."""

    def put() -> None:
        code = code_of(subsystem, work.made["python"])
        registry = work.where.registry()["REGISTRY_URL"]
        before = work.services.image_of(subsystem, code)
        image = before if before.startswith(f"{registry}/") else work.made["platform"]
        given = wires(subsystem, work.where, {**work.made, "platform": image})
        work.services.put(subsystem, image, given, code)
        work.services.settled(subsystem)

    return put


def code_of(subsystem: Subsystem, base: str) -> str:
    """The hash of all the code that the subsystem's process may load, and of what it runs on."""
    needed = [ROOT / name for name in ("contracts", "backbone", subsystem.package, *subsystem.reads)]
    return digest(base, *(path for path in needed if path.exists()))


def wake(work: Work) -> None:
    """Apps that `down` sent to sleep; Swarm places them once the agent has vouched for this node's firewall."""
    if count := down.wake(work.engine, work.installation):
        work.say(f"{count} services of apps get their instances back")


def ready(work: Work) -> None:
    weight.give()
    names = [work.installation.own(s.name) for s in work.subsystems()]
    work.asker.ready(work.made["python"], names)
    for line in work.asker.slowest:
        work.say(f"  the last to be ready: {line}")
    work.services.sweep()
    for name in ("berth/platform", f"{work.where.registry()['REGISTRY_URL']}/berth/platform"):
        work.images.forget_old(name, KEPT)
