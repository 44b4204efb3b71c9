"""Makes a release's images: zip, packages, image, registry. One call does all of it and may be repeated after a crash."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, cast

from backbone.backbone import Backbone
from backbone.containers import Containers, Job, Limits, Say
from contracts.archive_extract import extract
from contracts.errors import Invalid, NotFound, Unavailable
from contracts.messages.release import BuildPlan
from contracts.states import Build as State
from deployer.build import Build
from deployer.runtimes import RUNTIMES, Runtime
from deployer.scrub import Scrub

RECIPE = "1"
"""Part of every kept layer's key: change it when what shapes a layer changes."""


class Broken(Exception):
    """The release cannot be built as it is: `reason` for the person, `hint` what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


@dataclass(frozen=True)
class Made:
    """service -> reference by digest, and the kept layers below them."""

    images: dict[str, str]
    layers: tuple[str, ...]


class Maker:
    def __init__(self, backbone: Backbone) -> None:
        settings = backbone.settings
        self._containers: Containers = backbone.containers
        self._blobs, self._installation = backbone.blobs, backbone.installation
        self._images = {name: settings.text(r.setting, "") for name, r in RUNTIMES.items()}
        self._fetcher = settings.text("BERTH_FETCH_IMAGE", "")
        self._registry = settings.text("REGISTRY_URL", "registry:5000")
        self._scratch = settings.text("BERTH_SCRATCH", tempfile.gettempdir())
        self._limits = Limits(
            memory=int(settings.number("BERTH_BUILD_MEMORY_MB", 512)) << 20,
            cpu=settings.number("BERTH_BUILD_CPU", 1.0),
            pids=int(settings.number("BERTH_BUILD_PIDS", 128)),
            seconds=settings.number("BERTH_BUILD_SECONDS", 300),
        )
        self._index = {n: settings.text(n, "") for n in ("BERTH_PIP_CONF", "BERTH_BUILD_CA")}
        self._proxies = {n: v for n, v in settings.values.items() if n.lower() in ("http_proxy", "https_proxy", "no_proxy")}
        self.scrub = Scrub([*self._index.values(), *self._proxies.values(), settings.text("REGISTRY_PASSWORD", "")])

    def make(self, build: Build, say: Say, moved: Callable[[State], None]) -> Made:
        """Broken: it is the release's fault. Unavailable: try again later."""
        folder = Path(tempfile.mkdtemp(prefix=f"{self._installation}-build-", dir=self._scratch))
        try:
            moved(State.FETCHING)
            self._unpack(build, folder)
            bases = {plan.service: self._packages(plan, folder, say) for plan in build.services}
            moved(State.BUILDING)
            tags = {plan.service: self._build(build, plan, bases[plan.service], folder, say) for plan in build.services}
            moved(State.PUSHING)
            images = {service: self._push(tag, say) for service, tag in tags.items()}
            return Made(images, tuple(base for base in bases.values() if base.startswith(self.layer(""))))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def tag(self, release: str, service: str) -> str:
        """An image's name on the builder and in the registry."""
        return f"{self._registry}/{self._installation}-apps:{release}-{service}"

    def layer(self, key: str) -> str:
        """A kept layer's name, on the builder only."""
        return f"{self._registry}/{self._installation}-packages:{key}"

    def labels(self, **more: str) -> dict[str, str]:
        return {"berth.installation": self._installation, **{f"berth.{k}": v for k, v in more.items()}}

    def _unpack(self, build: Build, folder: Path) -> None:
        container, _, name = build.blob.partition("/")
        try:
            with self._blobs.open(container, name) as blob, (folder / "release.zip").open("wb") as file:
                shutil.copyfileobj(blob, file, 1 << 20)
        except NotFound:
            raise Broken("The uploaded zip is not there any more.", "Upload it again.") from None
        try:
            extract(folder / "release.zip", folder / "code")
        except Invalid as error:
            raise Broken(error.detail, "Make the zip again, with `berth upload`.") from None

    def _packages(self, plan: BuildPlan, folder: Path, say: Say) -> str:
        """The base of the service's image: the runtime, with a kept layer of its packages where it asks for some."""
        runtime, image = self._runtime(plan)
        if not plan.packages:
            return image
        path = folder / "code" / plan.packages
        if not path.is_file():
            raise Broken(f"There is no {plan.packages} in the zip.", f"Add it, or leave `packages` of service {plan.service} out.")
        text = path.read_text("utf-8", "replace")
        if problem := runtime.refused(text, plan.packages):
            raise Broken(*problem)
        if not any(line.strip() and not line.strip().startswith("#") for line in text.splitlines()):
            return image
        key = sha256("\0".join((RECIPE, image, text)).encode()).hexdigest()[:32]
        tag = self.layer(key)
        if self._containers.images.has(tag):
            say("out", f"Packages of {plan.packages}: kept from before ({key[:12]}).")
            return tag
        fetched = self._fetch(runtime, text, plan, image, say)
        context = _context(runtime.packages(image), folder, tars={"packages": fetched})
        done = self._containers.images.build(tag, context, {}, self._limits, say)
        self._check(done.error, done.killed, "Keeping the packages")
        return tag

    def _fetch(self, runtime: Runtime, text: str, plan: BuildPlan, image: str, say: Say) -> BinaryIO:
        """With the network and the host's index settings, and no code of theirs run: wheels only."""
        name = Path(plan.packages).name
        files, environment = {name: text.encode()}, dict(self._proxies)
        if self._index["BERTH_PIP_CONF"]:
            files["pip.conf"] = self._index["BERTH_PIP_CONF"].encode()
            environment["PIP_CONFIG_FILE"] = "/tmp/in/pip.conf"
        if self._index["BERTH_BUILD_CA"]:
            files["ca.crt"] = self._index["BERTH_BUILD_CA"].encode()
            environment["PIP_CERT"] = "/tmp/in/ca.crt"
        lines: list[str] = []

        def heard(stream: str, line: str) -> None:
            lines.append(self.scrub(line))
            say(stream, line)

        job = Job(
            self._fetcher or image, runtime.fetch(name), files, "/tmp/out", environment, self._limits, True, self.labels(job="fetch")
        )
        done = self._containers.images.run(job, heard)
        if done.killed:
            self._check("fetching was ended", done.killed, "Fetching the packages")
        if done.code or done.out is None:
            raise Broken(*runtime.told(lines, text, plan.packages))
        return done.out

    def _build(self, build: Build, plan: BuildPlan, base: str, folder: Path, say: Say) -> str:
        runtime, _ = self._runtime(plan)
        tag, lines = self.tag(build.release, plan.service), list[str]()

        def heard(stream: str, line: str) -> None:
            lines.append(line)
            say(stream, line)

        context = _context(runtime.app(base, plan.command), folder, folders={"code": folder / "code"})
        done = self._containers.images.build(tag, context, {}, self._limits, heard)
        if done.error and not done.killed and (blamed := runtime.blamed(lines)):
            raise Broken(*blamed)
        self._check(done.error, done.killed, f"Building service {plan.service}")
        return tag

    def _push(self, tag: str, say: Say) -> str:
        reference = self._containers.images.push(tag)
        say("out", f"Pushed {reference.rpartition('/')[2]}")
        return reference

    def _runtime(self, plan: BuildPlan) -> tuple[Runtime, str]:
        runtime, image = RUNTIMES.get(plan.runtime), self._images.get(plan.runtime, "")
        if runtime is None:
            raise Broken(f"There is no runtime {plan.runtime} (service {plan.service}).", f"Choose one of: {', '.join(RUNTIMES)}.")
        if not image:
            raise Unavailable(f"The setting {runtime.setting} names no image: run `berth up` again.")
        return runtime, image

    def _check(self, error: str, killed: str, what: str) -> None:
        if killed == "time":
            raise Broken(f"{what} took longer than {self._limits.seconds:.0f} s.", "Ask for less, or for a higher limit.")
        if killed == "memory":
            raise Broken(f"{what} needed more than {self._limits.memory >> 20} MiB of memory.", "Ask for less, or for a higher limit.")
        if error:
            raise Broken(f"{what} failed: {self.scrub(error)}", "The build's log says more.")


def _context(dockerfile: str, folder: Path, folders: dict[str, Path] | None = None, tars: dict[str, BinaryIO] | None = None) -> BinaryIO:
    """A build context on disk: the Dockerfile, folders, and other tars' folders under a new name. Owned by root, as it was."""
    file = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115  (the caller reads it)
    with tarfile.open(fileobj=file, mode="w") as out:
        _add(out, "Dockerfile", dockerfile.encode())
        for name, path in (folders or {}).items():
            out.add(path, name, filter=_plain)
        for name, tar in (tars or {}).items():
            with tar, tarfile.open(fileobj=tar) as entries:
                for member in entries:
                    content = entries.extractfile(member) if member.isfile() else None
                    member.name = f"{name}/{member.name.partition('/')[2]}".rstrip("/")
                    if member.isfile() or member.isdir():
                        out.addfile(cast("tarfile.TarInfo", _plain(member)), content)
    file.seek(0)
    return file


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Fixed owner and time, so that the same content is the same layer; nothing but files and folders."""
    if not (member.isfile() or member.isdir()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
