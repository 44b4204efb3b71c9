"""What each subsystem is given: its settings, its secret files, its mounts; nothing it did not ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from backbone.claims import Claims
from backbone.clock import Clock, SystemClock
from backbone.settings import Settings
from backbone.tokens import SigningKey, sign
from bootstrapper.declared import Subsystem
from bootstrapper.files import once
from bootstrapper.given import Where
from bootstrapper.prepared import pip_config
from bootstrapper.vault import Vault

INTERNAL = 8090
DECADE = timedelta(days=3650)
SOCKET = "/var/run/docker.sock"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Wires:
    """environment is seen by everyone who may ask Docker, so what is secret stands in `files` (in /run/secrets)."""

    environment: dict[str, str]
    files: dict[str, str]
    mounts: list[dict[str, Any]]
    groups: list[str]
    constraints: list[str]


def token(vault: Vault, package: str, installation: str, clock: Clock) -> str:
    """The subsystem's own token, signed once; a new signing key makes a new one."""
    key = SigningKey(vault.read("signing.pem"))
    now = clock.now()
    claims = Claims(subject=package, purpose="subsystem", jti=clock.new_id(), expires=now + DECADE)
    return once(vault.all / f"token-{package}-{key.kid}", lambda: sign(claims, key, installation, now))


def wires(subsystem: Subsystem, where: Where, images: dict[str, str]) -> Wires:
    own, vault = where.installation, where.vault
    public, apps = urls(where)
    values = {
        "BERTH_PUBLIC_URL": public,
        "BERTH_APPS_URL": apps,
        "BERTH_INTERNAL_URL": f"http://haproxy:{INTERNAL}",
        "BERTH_CA_FILE": "/run/secrets/ca.crt",
        "BERTH_TOKEN": token(vault, subsystem.package, own.name, SystemClock()),
    }
    environment = {
        "BERTH_INSTALLATION": own.name,
        "BERTH_REPLICA": "{{.Task.ID}}",
        "BERTH_NODE": "{{.Node.ID}}",
        "BERTH_PORT": "8000",
    }
    values |= {name: where.given[name] for name in subsystem.settings if name in where.given}
    files = {"ca.crt": vault.read("ca.crt")}
    mounts: list[dict[str, Any]] = [_tmp()]
    groups: list[str] = []
    constraints: list[str] = []
    for need in subsystem.needs:
        match need:
            case "kafka":
                values |= where.kafka(subsystem.package)
            case "documents":
                values |= where.documents(subsystem.package)
            case "tables":
                values |= where.postgres(subsystem.package)
            case "blobs":
                values |= where.blobs()
            case "registry":  # its address on the platform's network; who only asks whether it answers needs no password
                values["REGISTRY_URL"] = where.given.get("REGISTRY_URL", "registry:5000")
            case "directory":
                values |= where.directory("/run/secrets/ca.crt")
            case "signing":
                values["BERTH_SIGNING_KEY_FILE"] = "/run/secrets/signing.pem"
                files["signing.pem"] = vault.read("signing.pem")
            case "scratch":
                values["BERTH_SCRATCH"] = "/scratch"
                environment["TMPDIR"] = "/scratch"
                mounts.append(_volume(own.own("scratch"), "/scratch"))
            case "builds":
                values |= where.registry() | _builds(files, images)
                if found := resolvers():
                    values["BERTH_APP_DNS"] = ",".join(found)
                values["BERTH_APP_CONSTRAINTS"] = f"node.labels.{own.name}.apps==1"
                values["BERTH_APP_API_URL"] = f"https://{own.address}:{own.port('https')}"
            case "docker":
                mounts.append(_bind(SOCKET, SOCKET))
                groups.append(str(Path(SOCKET).stat().st_gid))
                if not subsystem.everywhere:
                    constraints.append("node.role == manager")
            case "door":
                mounts.append(_volume(own.own("haproxy"), "/run/haproxy"))
                constraints.append("node.role == manager")
            case "host":
                mounts += [_bind("/", "/host", True), _bind("/proc", "/host/proc", True), _volume(own.own("agent"), "/keep")]
                groups.append("0")  # what Docker writes down of containers' lines is read by root's group
                values |= host_values(where, images)
    files["settings"] = "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    return Wires(environment, files, mounts, groups, sorted(set(constraints)))


def urls(where: Where) -> tuple[str, str]:
    """(the UI and the API, apps): two origins, so that no app's script acts with its visitor's session."""
    own = where.installation
    return f"https://localhost:{own.port('https')}", f"https://127.0.0.1:{own.port('apps')}"


def resolvers() -> list[str]:
    """This host's own, for instances that may use the internet; a loopback one is of no use to them."""
    path = Path("/etc/resolv.conf")
    lines = path.read_text().splitlines() if path.exists() else []
    named = [line.split()[1] for line in lines if line.startswith("nameserver ") and len(line.split()) > 1]
    return [address for address in named if ":" not in address and not address.startswith("127.")]


def host_values(where: Where, images: dict[str, str]) -> dict[str, str]:
    """What the node's agent needs to know of its node and of the firewall it keeps."""
    own = where.installation
    return {
        "BERTH_POLICY_PREFIX": own.policy_prefix,
        "BERTH_OWN_BRIDGE": own.own_bridge,
        "BERTH_NODE_ADDRESS": own.address,
        "BERTH_API_ADDRESS": f"{own.address}:{own.port('https')}",
        "BERTH_HOST_PROC": "/host/proc",
        "BERTH_HOST_ROOT": "/host",
        "BERTH_KEEP": "/keep",
        **({"BERTH_APP_RESOLVERS": " ".join(found)} if (found := resolvers()) else {}),
        "BERTH_PLATFORM_IMAGE": images["platform"],
    }


def _builds(files: dict[str, str], images: dict[str, str]) -> dict[str, str]:
    """Runtimes by digest, and this host's way to the package index: never in a layer, never in a committed file."""
    settings = Settings.from_environment().values
    values = {
        "BERTH_RUNTIME_PYTHON": images["runtime-python"],
        "BERTH_FETCH_IMAGE": images["fetch-python"],
        "BERTH_PIP_CONF_FILE": "/run/secrets/pip.conf",
        **{name: settings[name] for name in PROXIES if settings.get(name)},
    }
    files["pip.conf"] = pip_config()
    ca = Path(settings.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
    if ca.exists():
        values["BERTH_BUILD_CA_FILE"] = "/run/secrets/build-ca.crt"
        files["build-ca.crt"] = ca.read_text()
    return values


def _tmp() -> dict[str, Any]:
    return {"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": {"SizeBytes": 64 << 20, "Mode": 0o1777}}


def _volume(name: str, to: str) -> dict[str, Any]:
    return {"Type": "volume", "Source": name, "Target": to}


def _bind(source: str, to: str, read_only: bool = False) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Target": to, "ReadOnly": read_only}
