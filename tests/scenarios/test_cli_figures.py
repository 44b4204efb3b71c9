"""`berth figures` and `berth nodes` against a whole platform, as staff and as a developer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

from tests.scenarios.test_cli import ROOT, Terminal, terminal
from tests.scenarios.test_figures import running

__all__ = ["terminal"]


def seen(terminal: Terminal) -> dict[str, Any]:
    """A deployment of dora's that has burnt and held for a minute."""
    d = running(terminal.world, terminal.world.login("developer"))
    (id,) = terminal.world.instances(d["id"])
    terminal.world.containers.instances[id].burns, terminal.world.containers.instances[id].holds = 0.5, 64 << 20
    terminal.world.pass_time(60)
    return {**d, "instance": id}


def test_staff_see_nodes_and_everything(terminal: Terminal) -> None:
    d = seen(terminal)
    terminal.login("otto")
    assert "20.0 GiB of 100 GiB (20 %)" in terminal.run("nodes") and terminal.json("nodes")["items"][0]["figures"]["cpu"] > 10
    assert d["name"] in terminal.run("figures") and "50.0 %" in terminal.run("figures")
    told = terminal.run("figures", "vm1")
    assert [line.split()[0] for line in told.splitlines()] == ["vm1", "cpu", "memory", "load", "disk", "received", "sent"]
    assert "█" in told or "▁" in told
    assert terminal.json("figures", "node1", "--since", "30s")["step"] == 10


def test_a_developer_sees_their_own(terminal: Terminal) -> None:
    d = seen(terminal)
    terminal.login("dora")
    (one,) = terminal.json("figures")["items"]
    assert (one["deployment"], one["cpu"], one["restarts"]) == (d["id"], 50.0, 0)
    told = terminal.run("figures", d["name"])
    assert d["instance"] in told and "64.0 MiB of" in told and "50.0 %" in told
    assert terminal.run("figures", d["instance"][:5]) == told
    (history,) = terminal.json("figures", d["name"], "--since", "1m")["items"]
    assert history["instance"] == d["instance"] and history["now"]["cpu"] == 50.0 and history["items"]
    terminal.run("nodes", code=1)
    assert "roles" in terminal.said


def test_what_ended_is_known_by_its_id_and_what_never_was_is_not(terminal: Terminal) -> None:
    d = seen(terminal)
    terminal.world.kill_instance(d["instance"])
    terminal.world.pass_time(15)
    terminal.login("dora")
    assert terminal.json("figures", d["instance"])["items"][0]["restarts"] == 1
    failed = terminal.json("figures", "nothing", code=1)
    assert failed["status"] == 404 and "nothing" in terminal.run("figures", "nothing", code=1) + terminal.said
    assert json.loads(terminal.run("figures", d["name"], "--since", "soon", "--json", code=1))["errors"][0]["path"] == "since"


def test_it_goes_on_each_second_until_it_is_ended(terminal: Terminal) -> None:
    d = seen(terminal)
    terminal.login("dora")
    # a background job of a shell is born deaf to Ctrl-C, and so is what it begets
    command = ["env", "--default-signal=INT", sys.executable, "-m", "cli", "figures", d["name"], "--watch", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as watching:
        assert watching.stdout is not None
        first = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 130
    assert [one["instance"] for one in first["instances"]] == [d["instance"]] and first["of_node"] is None
