"""Keeps the node's firewall standing, and the node's label true: instances are placed only where it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backbone.containers.host import Host
from backbone.logs import get_log
from contracts.errors import Unavailable

log = get_log()
SCRIPT = Path(__file__).with_name("firewall.sh")
AGAIN = 4
"""Every so many checks the rules are written again, whatever the check says."""


@dataclass(frozen=True)
class Walls:
    """What the script is told. `api` is what instances may call, host:port; addresses are IPv4."""

    installation: str
    nodes: tuple[str, ...]
    gateways: tuple[str, ...]
    api: tuple[str, ...]
    dns: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """As in the interfaces' names, which the bootstrapper makes."""
        return hashlib.sha1(self.installation.encode()).hexdigest()[:4]

    def environment(self) -> Mapping[str, str]:
        words = {"NODES": self.nodes, "GATEWAYS": self.gateways, "API": self.api, "DNS": self.dns}
        return {"MARK": self.mark, **{name: " ".join(values) for name, values in words.items()}}


class Firewall:
    """`reason` is "" while it stands."""

    def __init__(self, host: Host, walls: Walls) -> None:
        self._host, self._walls = host, walls
        self._helper, self._label = f"{walls.installation}-firewall", f"{walls.installation}.apps"
        self._rounds = 0
        self._labelled: str | None = None
        self.reason = "it was not looked at yet"

    def hold(self) -> bool:
        """Looks, mends where it does not stand, and sets the label after. True when the reason has changed."""
        before, self.reason = self.reason, self._held()
        if self.reason != before:
            log.info("firewall_seen", stands=not self.reason, reason=self.reason)
        try:
            self._mark("" if self.reason else "1")
        except Unavailable as error:
            log.warning("label_waits", reason=error.detail)
        return self.reason != before

    def _held(self) -> str:
        try:
            again = self._rounds % AGAIN == 0
            if again or self._script("check"):
                problem = self._script("apply") or self._script("check")
                self._rounds = 0 if problem else 1
                return problem
            self._rounds += 1
            return ""
        except Unavailable as error:
            return error.detail

    def _script(self, verb: str) -> str:
        """The problem, or ""."""
        ran = self._host.run(self._helper, ("sh", "-c", SCRIPT.read_text(), "firewall", verb), self._walls.environment())
        return "" if ran.code == 0 else f"firewall {verb}: {ran.text.strip()[-300:] or f'exit code {ran.code}'}"

    def _mark(self, value: str) -> None:
        if self._labelled != value and self._host.label(self._label, value):
            log.info("node_labelled", label=self._label, value=value)
            self._labelled = value
