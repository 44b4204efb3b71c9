"""Images by content: the tag is the hash of all that shapes one, so what is there is right and whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrapper.base import Base, machine_network
from bootstrapper.engine import Engine, Refused
from bootstrapper.files import digest, locked
from bootstrapper.host import docker_client
from bootstrapper.shell import Failed, sh


class Images:
    """Builds with Debian's docker client (BuildKit); contexts are links, made in `work` and removed."""

    def __init__(self, engine: Engine, work: Path, locks: Path) -> None:
        self.engine = engine
        self.work = work
        self.locks = locks

    def have(self, tag: str) -> bool:
        return self.engine.find(f"/images/{tag}/json") is not None

    def build(
        self,
        name: str,
        base: Base,
        dockerfile: Path,
        files: Sequence[Path] = (),
        folders: Mapping[str, Path] | None = None,
        key: Sequence[object] = (),
        heavy: bool = True,
    ) -> str:
        """The tag. `folders` maps a name in the context to a prepared folder, whose own name vouches for its content
        unless `key` gives something better."""
        folders = folders or {}
        shaped = [base.image, dockerfile, *files, *(key or [f"{to}={path}" for to, path in folders.items()])]
        tag = f"berth/{name}:{digest(*shaped)}"
        with locked(self.locks / name):
            if not self.have(tag):
                self._build(tag, name, base, dockerfile, files, folders, heavy)
        return tag

    def _build(
        self,
        tag: str,
        name: str,
        base: Base,
        dockerfile: Path,
        files: Sequence[Path],
        folders: Mapping[str, Path],
        heavy: bool,
    ) -> None:
        context = self.work / name
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir(parents=True)
        shutil.copy(dockerfile, context / "Dockerfile")
        for path in files:
            shutil.copy(path, context / path.name)
        (context / ".dockerignore").write_text("**/__pycache__\n**/*.pyc\ncode/platform_ui/static/vendor\n")
        for to, path in folders.items():
            (context / to).parent.mkdir(parents=True, exist_ok=True)
            try:
                sh("cp", "-al", path, context / to)
            except Failed:  # another disk, or another mount of the same
                shutil.rmtree(context / to, ignore_errors=True)
                sh("cp", "-a", path, context / to)
        sh(
            docker_client(), "build", "-q", "--network", "host", "--build-arg", f"BASE={base.image}",
            "--build-arg", f"LISTS={base.lists}", *machine_network(self.work), "-t", tag, context,
            env={"DOCKER_BUILDKIT": "1"}, heavy=heavy,
        )  # fmt: skip
        shutil.rmtree(context)

    def push(self, tag: str, to: str) -> str:
        """Push as `to` (registry/name:tag); gives the reference by digest, for ever the same thing."""
        name, _, version = to.rpartition(":")
        if known := self._pushed(tag, name):
            return known
        self.engine.call("POST", f"/images/{tag}/tag", repo=name, tag=version)
        digest_ = ""
        for line in self.engine.lines("POST", f"/images/{name}/push", tag=version):
            digest_ = line.get("aux", {}).get("Digest", digest_)
        if not digest_:
            raise Failed(f"The registry took {to} and did not say its digest.")
        return f"{name}@{digest_}"

    def _pushed(self, tag: str, name: str) -> str:
        """Docker remembers under which digest an image went to a registry."""
        facts = self.engine.find(f"/images/{tag}/json") or {}
        return next((d for d in facts.get("RepoDigests", []) if d.startswith(name + "@")), "")

    def forget_old(self, name: str, keep: int) -> None:
        """Of an image whose every change leaves one behind: all tags but the newest; one that is in use stays."""
        found = self.engine.call("GET", "/images/json", filters={"reference": [f"{name}:*"]})
        for image in sorted(found, key=lambda i: int(i["Created"]), reverse=True)[keep:]:
            for tag in image["RepoTags"] or []:
                if tag.startswith(f"{name}:"):
                    try:
                        self.engine.remove(f"/images/{tag}")
                    except Refused as refused:
                        if refused.status != 409:
                            raise
