"""Role agent: one on each node. Threads look, ask and kill, say, measure, carry lines, and keep the firewall; the loop beats and tells."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from backbone.backbone import Backbone
from backbone.containers import Node
from backbone.containers.host import Host
from backbone.logs import get_log
from backbone.loop import Follow, Tick
from backbone.subsystem import Subsystem
from contracts.errors import BerthError, Unavailable
from contracts.messages import InstanceSeen, NodeSeen
from contracts.states import InstanceState
from node_manager.agent import Agent
from node_manager.figures import Gauge, HostGauge
from node_manager.firewall import Firewall, Walls
from node_manager.lines_thread import Lines, shipper
from node_manager.measuring import SECOND, Measuring
from node_manager.probes import NetProber, Prober
from node_manager.replacing import Ask, Replacing, live
from node_manager.saying import Sayer

log = get_log()
AGAIN = 10.0
WALL = 30.0
MEND = 5.0
"""Seconds between two looks at the node's firewall: while it stands, and while it does not."""
LOST = "its node's agent does not find it any more"


class NodeAgent:
    """What the agent does in rounds. `address` is the node's as the gateways reach it."""

    def __init__(self, backbone: Backbone, node: Node, agent: Agent, sayer: Sayer, firewall: Firewall, address: str) -> None:
        self._backbone, self._node, self._agent, self._sayer = backbone, node, agent, sayer
        self._firewall, self._address = firewall, address
        self._told, self._wall_at, self._ask_at = firewall.reason, 0.0, 0.0
        self._away = ""

    def round(self, changed: bool = True) -> float:
        """One look at the instances. Docker away: said, and tried again in a second."""
        try:
            wait = self._agent.step(changed)
            self._away = ""
            return wait
        except Unavailable as error:
            self._away = error.detail
        except Exception as error:  # a bug must not leave the node without eyes: seen in the log and in /ready, tried again
            log.exception("round_failed")
            self._away = f"looking at the instances failed: {error!r}"
        return 1.0

    def upkeep(self, seconds: float) -> None:
        """What waits for Docker, or for another part, and must hold up no heartbeat: one thread. Waits so long for what is due."""
        now, due = self._backbone.clock.monotonic(), min(self._wall_at, self._ask_at)
        if now < due:
            return self._backbone.clock.sleep(min(seconds, due - now)) if seconds else None
        if now >= self._wall_at:
            self._firewall.hold()
            self._wall_at = now + (MEND if self._firewall.reason else WALL)
        else:
            self._ask_at = math.inf if self._lost() else now + AGAIN

    def news(self) -> Iterable[NodeSeen]:
        """Where the firewall is not as it was last told."""
        if self._told == self._firewall.reason:
            return []
        self._told = self._firewall.reason
        return [self._seen()]

    def repeat(self) -> Iterable[NodeSeen]:
        """For those that came late, or lost what they knew."""
        self._agent.repeat()
        return [self._seen()]

    def _lost(self) -> bool:
        """What the platform believes to run here, and does not, is gone: it ended while no agent looked. False: nobody could be asked."""
        try:
            answer = self._backbone.peers.get(f"/instances?node={self._node.machine().id}&limit=500").check()
        except BerthError as error:
            log.info("lost_instances_unknown", reason=error.detail)
            return False
        here = self._agent.here()
        for item in answer.json["items"]:
            if item["instance"] not in here and item["state"] < InstanceState.GONE:
                facts = {k: item[k] for k in InstanceSeen.model_fields if k in item}
                news = InstanceSeen.model_validate(facts | {"state": InstanceState.GONE, "reason": LOST})
                self._sayer.say(news, "", item.get("workspace", ""))
        return True

    def ready(self) -> list[str]:
        return [self._away] if self._away else []

    def _seen(self) -> NodeSeen:
        m = self._node.machine()
        wall = self._firewall.reason
        return NodeSeen(
            node=m.id,
            name=m.name,
            address=self._address or m.address,
            cpus=m.cpus,
            memory=m.memory,
            firewall=not wall,
            reason=wall,
        )


class Watcher:
    """The thread that lives in `round`: woken by Docker's events and by probes' results. `told`: who else hears of the events."""

    def __init__(self, node: Node) -> None:
        self._node, self._wake, self._closing = node, threading.Event(), False
        self._changed = True
        self.told: list[Callable[[], None]] = []

    def wake(self) -> None:
        self._wake.set()

    def run(self, work: NodeAgent) -> None:
        threading.Thread(target=self._listen, name="docker-events", daemon=True).start()
        while not self._closing:
            self._wake.clear()
            changed, self._changed = self._changed, False
            self._wake.wait(work.round(changed))

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    def _listen(self) -> None:
        while not self._closing:
            try:
                heard = self._node.wait(5.0)
            except Unavailable as error:
                log.warning("docker_away", reason=error.detail)
                heard = self._wake.wait(1.0)
            if heard:
                self._changed = True
                self._wake.set()
                for tell in self.told:
                    tell()


def walls(backbone: Backbone, address: str) -> Walls:
    """From the settings: by default one node, which is its own gateway, and the front door's public port on it."""
    text = backbone.settings.text
    port = urlsplit(text("BERTH_PUBLIC_URL", "https://localhost:8443")).port or 443
    return Walls(
        installation=backbone.installation,
        nodes=tuple(text("BERTH_NODES", address).split()),
        gateways=tuple(text("BERTH_GATEWAYS", address).split()),
        api=tuple(text("BERTH_API_ADDRESS", f"{address}:{port}").split()),
        dns=tuple(text("BERTH_APP_RESOLVERS", "").split()),
    )


def build(
    backbone: Backbone, prober: Prober | None = None, host: Host | None = None, ask: Ask = live, gauge: Gauge | None = None
) -> Subsystem:
    """Without `prober` this is the real thing with its threads; with it (a twin) everything happens in ticks, and what
    has no `gauge` measures nothing."""
    node = backbone.containers.node
    host = host or _host(backbone)
    address = backbone.settings.text("BERTH_NODE_ADDRESS", "") or node.machine().address
    watcher = Watcher(node)
    sayer = Sayer(backbone)
    agent = Agent(node, backbone.installation, prober or NetProber(watcher.wake), backbone.clock, sayer.say, address)
    replacing = Replacing(backbone, node, ask)
    measuring = Measuring(backbone, node, gauge or _gauge(backbone))
    carried = shipper(backbone, kept=prober is None)
    lines = Lines(carried)
    watcher.told += [measuring.changed, lines.wake]
    work = NodeAgent(backbone, node, agent, sayer, Firewall(host, walls(backbone, address)), address)

    def start() -> None:
        if prober is None:
            threading.Thread(target=watcher.run, args=(work,), name="watcher", daemon=True).start()
            threading.Thread(target=sayer.run, name="sayer", daemon=True).start()
            threading.Thread(target=replacing.run, name="replacing", daemon=True).start()
            threading.Thread(target=measuring.run, name="measuring", daemon=True).start()
            threading.Thread(target=lines.run, name="lines", daemon=True).start()

    def look() -> None:
        work.round()
        sayer.flush()
        replacing.step(0)
        carried.round(True)

    def measure() -> None:
        measuring.changed()
        measuring.step()

    def stop() -> None:
        lines.close()
        measuring.close()
        watcher.close()
        sayer.close()
        replacing.close()

    measured = (Tick(SECOND, measure),) if gauge else ()
    looks = () if prober is None else (Tick(0.2, look),)
    return Subsystem(
        backbone=backbone,
        ticks=(*looks, *measured, Tick(SECOND, work.news), Tick(AGAIN, work.repeat)),
        follows=(Follow(work.upkeep),),
        start=start,
        stop=stop,
        ready=lambda: work.ready() + lines.ready(),
        checks_tokens=False,
    )


def _gauge(backbone: Backbone) -> Gauge:
    text = backbone.settings.text
    return HostGauge(backbone.clock, text("BERTH_HOST_PROC", "/proc"), text("BERTH_HOST_ROOT", "/"))


def _host(backbone: Backbone) -> Host:
    from backbone.containers.engine_host import open_host

    return open_host(backbone.settings)
