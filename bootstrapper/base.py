"""The base image, made by mmdebstrap from the machine's own Debian mirror, and a small one with the mirror's lists."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bootstrapper.engine import Engine
from bootstrapper.files import digest, write
from bootstrapper.host import docker_client
from bootstrapper.prepared import Prepared
from bootstrapper.shell import Failed, sh

OPTIONS = (
    "--variant=minbase",
    "--include=python3,ca-certificates",
    "--skip=cleanup/apt/lists",
    "--dpkgopt=force-unsafe-io",
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=Acquire::GzipIndexes "true"',
    '--aptopt=DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; }',
    *(f"--dpkgopt=path-exclude=/usr/share/{d}/*" for d in ("man", "doc", "locale", "info")),
)
LISTS = """ARG BASE
FROM ${BASE} AS updated
RUN --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/99machine,mode=0444 --mount=type=secret,id=ca,target=/run/ca.crt,mode=0444 \\
    apt-get update -qq
FROM scratch
COPY --from=updated /var/lib/apt/lists/ /
"""
PATHS = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Base:
    """Tags of the base image and of the image that holds nothing but apt's lists."""

    image: str
    lists: str


def suite() -> str:
    facts = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    name = facts.get("VERSION_CODENAME", "").strip('"')
    if not name:
        raise Failed("This host is not a Debian whose suite could be found in /etc/os-release.")
    return name


def sources() -> Path:
    for path in ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"):
        if Path(path).exists():
            return Path(path)
    raise Failed("No apt sources of this machine were found.", "ls /etc/apt/sources.list.d")


def machine_network(folder: Path) -> list[str]:
    """What this machine's network asks of a build (proxies, CA, apt): arguments and secrets, never in a layer or a file of ours."""
    names = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    args = [word for name in names if os.environ.get(name) for word in ("--build-arg", name)]
    dumped = sh("apt-config", "dump", "Acquire").splitlines()
    lines = [line for line in dumped if "proxy" in line.lower() or "Check-" in line]
    ca = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    if Path(ca).exists():
        args += ["--secret", f"id=ca,src={ca}"]
        lines.append('Acquire::https::CaInfo "/run/ca.crt";')
    write(folder / "apt-machine.conf", "\n".join(lines) + "\n", 0o600)
    return [*args, "--secret", f"id=apt,src={folder / 'apt-machine.conf'}"]


def make(engine: Engine, prepared: Prepared) -> Base:
    """mmdebstrap into files first: a killed pipe into an import would leave a cut base under a good name."""
    if given := os.environ.get("BERTH_BASE_IMAGE"):
        return Base(given, _lists_of(given, engine, prepared))
    key = digest(suite(), *OPTIONS, sources())
    base = Base(f"berth/base:{key}", f"berth/lists:{key}")
    with prepared.alone("base image"):
        if not all(engine.find(f"/images/{tag}/json") for tag in (base.image, base.lists)):
            _import(prepared, key, base)
    return base


def _lists_of(image: str, engine: Engine, prepared: Prepared) -> str:
    """apt's lists as the given image sees its mirror; made once for the image as it is."""
    docker = docker_client()
    if not engine.find(f"/images/{image}/json"):
        sh(docker, "pull", "-q", image)
    tag = f"berth/lists:{digest(engine.call('GET', f'/images/{image}/json')['Id'], LISTS)}"
    if not engine.find(f"/images/{tag}/json"):
        network = machine_network(prepared.folder)
        args = ("--network", "host", "--build-arg", f"BASE={image}", *network)
        sh(docker, "build", "-q", *args, "-t", tag, "-", env={"DOCKER_BUILDKIT": "1"}, feed=LISTS, heavy=True)
    return tag


def _import(prepared: Prepared, key: str, base: Base) -> None:
    def build(new: Path) -> None:
        (new / "tmp").mkdir()
        lists = new / "lists"
        sh(
            "mmdebstrap", "--quiet", *OPTIONS,
            f"--customize-hook=mkdir -p {lists} && cp -a $1/var/lib/apt/lists/. {lists} && rm -rf $1/var/lib/apt/lists/*",
            "--customize-hook=rm -f $1/etc/resolv.conf",
            suite(), new / "base.tar", sources(), env={"TMPDIR": str(new / "tmp")}, heavy=True,
        )  # fmt: skip
        sh("tar", "-C", lists, "-cf", new / "lists.tar", ".")

    folder = prepared.get("base", key, build)
    docker = docker_client()
    sh(docker, "import", folder / "lists.tar", base.lists)
    sh(
        docker,
        "import",
        "--change",
        PATHS,
        "--change",
        "ENV DEBIAN_FRONTEND=noninteractive",
        folder / "base.tar",
        base.image,
    )
    shutil.rmtree(folder)
