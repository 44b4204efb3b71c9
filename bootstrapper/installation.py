"""One Berth by name: every name, place and port that belongs to it, derived from its name and base port."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from bootstrapper.files import write
from bootstrapper.shell import Failed

NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
OFFSETS = {
    "https": 443,
    "apps": 444,
    "http": 80,
    "apps-http": 81,
    "registry": 500,
    # only with --expose, on loopback
    "kafka": 92,
    "postgres": 432,
    "azurite": 100,
    "slapd": 636,
}


@dataclass(frozen=True)
class Installation:
    """`address` is the node's own, fixed at the first `up`; `exposed` puts backing services on loopback for tests."""

    name: str
    base_port: int
    home: Path
    address: str
    exposed: bool = False

    @property
    def mark(self) -> str:
        """Four hex digits that stand for the name where space is short (interface names)."""
        return hashlib.sha1(self.name.encode()).hexdigest()[:4]

    @property
    def policy_prefix(self) -> str:
        return f"ba{self.mark}"

    @property
    def own_bridge(self) -> str:
        """Interface of the platform's own bridge; it must not begin with the policies' prefix."""
        return f"bp{self.mark}"

    @property
    def bridges(self) -> re.Pattern[str]:
        """Names of all its bridges' interfaces."""
        return re.compile(rf"{self.own_bridge}|{self.policy_prefix}-\w+")

    @property
    def label(self) -> str:
        return "berth.installation"

    @property
    def registry(self) -> str:
        return f"{self.address}:{self.port('registry')}"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    def port(self, what: str) -> int:
        return self.base_port + OFFSETS[what]

    def own(self, thing: str) -> str:
        """The name of a container, service, volume, secret or network of this installation."""
        return f"{self.name}-{thing}"

    def keep(self) -> None:
        facts = {
            "name": self.name, "base_port": self.base_port, "address": self.address,
            "exposed": self.exposed, "registry": self.registry,
        }  # fmt: skip
        write(self.home / "installation.json", json.dumps(facts, indent=1) + "\n", 0o600)


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Failed(f"An installation's name is a-z, 0-9 and '-', at most 32 characters; not {name!r}.")


def known(root: Path, name: str) -> Installation | None:
    """The installation as its first `up` left it, or None."""
    try:
        facts = json.loads((root / name / "installation.json").read_text())
    except FileNotFoundError:
        return None
    return Installation(facts["name"], facts["base_port"], root / name, facts["address"], facts["exposed"])


def all_known(root: Path) -> list[Installation]:
    found = (known(root, p.parent.name) for p in sorted(root.glob("*/installation.json")))
    return [i for i in found if i]
