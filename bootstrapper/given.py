"""Where each backing service is: an address the environment gives, or our own container. What is given is kept for the next time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from backbone.settings import Settings
from bootstrapper.files import write
from bootstrapper.installation import Installation
from bootstrapper.shell import Failed
from bootstrapper.vault import Vault

KEPT = (
    "KAFKA_URL", "KAFKA_USER", "KAFKA_PASSWORD", "POSTGRES_URL", "MONGO_URL", "BLOB_URL", "REGISTRY_URL", "REGISTRY_USER",
    "REGISTRY_PASSWORD", "LDAP_URL", "LDAP_CA", "LDAP_BASE", "LDAP_PEOPLE", "LDAP_GROUPS", "LDAP_BIND_USER", "LDAP_BIND_PASSWORD",
    "BERTH_LINES_DAYS", "BERTH_LINES_BYTES",
)  # fmt: skip
LOOPBACK = re.compile(r"(^|[/@,=])(127\.|localhost\b|\[::1\])")
BASE = "dc=berth,dc=local"


def given(installation: Installation) -> Mapping[str, str]:
    """What the environment gives now, over what it gave before."""
    path = installation.home / "given.json"
    values = Settings.from_environment().values
    for name in KEPT:
        if name.endswith("_URL") and LOOPBACK.search(values.get(name, "")):
            raise Failed(
                f"{name} names a loopback address, which containers cannot reach.",
                f"unset {name}, or give the host's address",
            )
    before: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    now = before | {name: values[name] for name in KEPT if values.get(name)}
    if now != before:
        write(path, json.dumps(now, indent=1) + "\n", 0o600)
    return now


@dataclass(frozen=True)
class Where:
    """Addresses as a process on the platform's network uses them; `host=True` gives those of exposed ones on loopback."""

    installation: Installation
    vault: Vault
    given: Mapping[str, str]
    host: bool = False

    def _at(self, name: str, inside: int) -> str:
        return f"127.0.0.1:{self.installation.port(name)}" if self.host else f"{name}:{inside}"

    @property
    def database(self) -> str:
        return self.installation.name.replace("-", "_")

    def kafka(self, user: str) -> dict[str, str]:
        if url := self.given.get("KAFKA_URL"):
            login = {k: self.given[k] for k in ("KAFKA_USER", "KAFKA_PASSWORD") if k in self.given}
            return {"KAFKA_URL": url, **login}
        word = self.vault.read(f"kafka-{user}")
        return {"KAFKA_URL": self._at("kafka", 9092), "KAFKA_USER": user, "KAFKA_PASSWORD": word}

    def postgres(self, role: str) -> dict[str, str]:
        if url := self.given.get("POSTGRES_URL"):
            return {"POSTGRES_URL": url}
        word = self.vault.read("postgres" if role == "berth" else f"postgres-{role}")
        return {"POSTGRES_URL": f"postgresql://{role}:{word}@{self._at('postgres', 5432)}/{self.database}"}

    def documents(self, role: str) -> dict[str, str]:
        if url := self.given.get("MONGO_URL"):
            return {"MONGO_URL": url}
        return self.postgres(role)

    def blobs(self) -> dict[str, str]:
        if url := self.given.get("BLOB_URL"):
            return {"BLOB_URL": url}
        key = self.vault.read("azurite")
        point = f"http://{self._at('azurite', 10000)}/berth"
        return {"BLOB_URL": f"DefaultEndpointsProtocol=http;AccountName=berth;AccountKey={key};BlobEndpoint={point};"}

    def registry(self) -> dict[str, str]:
        if url := self.given.get("REGISTRY_URL"):
            login = {k: self.given[k] for k in ("REGISTRY_USER", "REGISTRY_PASSWORD") if k in self.given}
            return {"REGISTRY_URL": url, **login}
        word = self.vault.read("registry")
        return {"REGISTRY_URL": self.installation.registry, "REGISTRY_USER": "berth", "REGISTRY_PASSWORD": word}

    def directory(self, ca: str) -> dict[str, str]:
        tree = {
            "LDAP_BASE": BASE,
            "LDAP_PEOPLE": f"ou=people,{BASE}",
            "LDAP_GROUPS": f"ou=groups,{BASE}",
        }
        if "LDAP_URL" in self.given:
            return {**tree, **{k: v for k, v in self.given.items() if k.startswith("LDAP_")}}
        login = {"LDAP_BIND_USER": f"cn=reader,{BASE}", "LDAP_BIND_PASSWORD": self.vault.read("slapd-reader")}
        return {"LDAP_URL": f"ldaps://{self._at('slapd', 1636)}", "LDAP_CA": ca, **tree, **login}
