"""What is made once and kept secret: passwords, keys, certificates; each container gets a folder with only its own."""

from __future__ import annotations

import base64
import crypt
import secrets
import socket
import uuid
from collections.abc import Mapping
from pathlib import Path

from backbone.clock import SystemClock
from bootstrapper import certificates
from bootstrapper.files import once, write
from bootstrapper.installation import Installation
from bootstrapper.platform import PEOPLE, SUBSYSTEMS

PACKAGES = tuple(sorted({s.package for s in SUBSYSTEMS}))
WORDS = (
    "kafka-broker", "kafka-controller", "kafka-berth", "postgres", "slapd-admin", "slapd-reader", "registry",
    *(f"kafka-{p}" for p in PACKAGES), *(f"postgres-{p}" for p in PACKAGES),
)  # fmt: skip


def word() -> str:
    return secrets.token_urlsafe(24)


def cluster_id() -> str:
    """Kafka wants a base64 UUID that does not begin with a dash."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)


def people_lines() -> str:
    return "".join(f"{user} {groups} {word()} {name}\n" for user, groups, name in PEOPLE)


class Vault:
    """The folder `secrets/` of an installation: `all/` for root alone, one folder per container beside it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.all = installation.secrets / "all"

    def make(self) -> None:
        for folder in (self.installation.home, self.installation.secrets, self.all):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        for name in WORDS:
            once(self.all / name, word)
        once(self.all / "azurite", lambda: base64.b64encode(secrets.token_bytes(64)).decode())
        once(self.all / "kafka-cluster", cluster_id)
        once(self.all / "people", people_lines)
        once(self.all / "signing.pem", lambda: certificates.key_pem(certificates.new_key()))
        once(self.all / "htpasswd", self._htpasswd)
        self._certificates()

    def _htpasswd(self) -> str:
        salt = crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=256)
        return f"berth:{crypt.crypt(self.read('registry'), salt)}\n"

    def _certificates(self) -> None:
        now = SystemClock().now()
        certificates.make_authority(self.all, self.installation.name, now)
        here = ("localhost", "127.0.0.1", self.installation.address)
        for name in ("registry", "slapd", "haproxy"):
            names = (name, *here, *((socket.gethostname(),) if name == "haproxy" else ()))
            certificates.make_leaf(self.all, name, tuple(dict.fromkeys(names)), now)
        public = certificates.public_pem(certificates.load_key(self.all / "signing.pem"))
        write(self.all / "signing.pub", public)
        write(self.installation.home / "ca.crt", self.read("ca.crt"))

    def read(self, name: str) -> str:
        return (self.all / name).read_text()

    def people(self) -> list[tuple[str, str, str]]:
        """(user name, role, password) of everyone the first start seeded."""
        rows = (line.split(maxsplit=3) for line in self.read("people").splitlines())
        return [(user, groups.split(",")[0], password) for user, groups, password, _ in rows]

    def give(self, container: str, owner: int, files: Mapping[str, str]) -> Path:
        """The container's folder: these files with this content, readable by its user alone, and nothing else."""
        folder = self.installation.secrets / container
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            if not path.exists() or path.read_text() != content:
                write(path, content, 0o400, owner)
        for stale in set(folder.iterdir()) - {folder / name for name in files}:
            stale.unlink()
        folder.chmod(0o755)
        return folder

    @staticmethod
    def registry_login(facts: Mapping[str, str]) -> dict[str, str]:
        """Docker's words for REGISTRY_URL, REGISTRY_USER and REGISTRY_PASSWORD."""
        words = {"username": "REGISTRY_USER", "password": "REGISTRY_PASSWORD", "serveraddress": "REGISTRY_URL"}
        return {word: facts.get(name, "") for word, name in words.items()}

    def trust_registry(self) -> None:
        """dockerd reads the folder at each request: no restart."""
        write(Path("/etc/docker/certs.d") / self.installation.registry / "ca.crt", self.read("ca.crt"))
