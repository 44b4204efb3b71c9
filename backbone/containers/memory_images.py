"""The twin of builds: interprets the platform's own Dockerfiles over files in memory, and knows a few packages."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import BinaryIO

from backbone.clock import Clock, text_of
from backbone.containers import BuildDone, ImageSeen, Job, JobDone, Limits, Say, labelled
from contracts.errors import Invalid, Unavailable


@dataclass(frozen=True)
class Image:
    """`files` maps paths below the root to their content."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    created: str = ""

    @property
    def digest(self) -> str:
        whole = sha256(json.dumps([self.command, sorted(self.labels.items())]).encode())
        for name, content in sorted(self.files.items()):
            whole.update(name.encode() + b"\0" + sha256(content).digest())
        return f"sha256:{whole.hexdigest()}"


class MemoryImages:
    """A test sets `away` to a reason to take Docker away, adds to `packages` (name -> its files), reads `jobs` and `builds`.
    `after` is called with "push" once an image is in the registry.

    `slow` and `hungry` name packages or files whose job or build breaks the limit of time or memory.
    """

    def __init__(self, clock: Clock, runtimes: Mapping[str, Image] | None = None) -> None:
        self.away = ""
        self.packages: dict[str, dict[str, bytes]] = {}
        self.slow: set[str] = set()
        self.hungry: set[str] = set()
        self.local: dict[str, Image] = dict(runtimes or {})
        self.registry: dict[str, Image] = {}
        self.jobs: list[Job] = []
        self.builds: list[str] = []
        self.after: Callable[[str], None] = lambda verb: None
        self._clock = clock

    def run(self, job: Job, say: Say) -> JobDone:
        """Knows one job: pip fetching the requirements among its files."""
        self._check()
        self.jobs.append(job)
        lines = job.files[job.command[-1].rpartition("/")[2]].decode().splitlines()
        out, files = io.BytesIO(), dict[str, bytes]()
        for line in lines:
            name = re.split(r"[\s\[=<>!~;]", line.strip())[0].lower()
            if not name or name.startswith(("#", "-")):
                continue
            if killed := self._killed(name):
                return JobDone(137, killed)
            if name not in self.packages:
                say("err", f"ERROR: Could not find a version that satisfies the requirement {line.strip()} (from versions: none)")
                say("err", f"ERROR: No matching distribution found for {line.strip()}")
                return JobDone(1)
            say("out", f"Collecting {line.strip()}")
            files |= self.packages[name]
        with tarfile.open(fileobj=out, mode="w") as tar:
            for path, content in files.items():
                _add(tar, f"{job.out.rpartition('/')[2]}/{path}", content)
        out.seek(0)
        return JobDone(0, "", out)

    def build(self, tag: str, context: BinaryIO, labels: Mapping[str, str], limits: Limits, say: Say) -> BuildDone:
        self._check()
        self.builds.append(tag)
        with tarfile.open(fileobj=context) as tar:
            given = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}  # type: ignore[union-attr]
        image = Image()
        for line in given.pop("Dockerfile").decode().splitlines():
            say("out", line)
            word, _, rest = line.strip().partition(" ")
            if word == "FROM":
                image = self.local.get(rest) or self.registry.get(rest) or Image()
                if rest not in self.local and rest not in self.registry:
                    return BuildDone(f"pull access denied for {rest}, repository does not exist")
            elif word == "COPY":
                source, target = [part.strip("/") for part in rest.split()[-2:]]
                put = {f"{target}/{n.removeprefix(source).strip('/')}": c for n, c in given.items() if n.startswith(source + "/")}
                image = Image({**image.files, **put}, image.command)
            elif word == "CMD":
                image = Image(image.files, tuple(json.loads(rest)))
            elif word == "RUN" and (done := self._run(image, say)):
                return done
        self.local[tag] = Image(image.files, image.command, dict(labels), text_of(self._clock.now()))
        return BuildDone()

    def push(self, tag: str) -> str:
        self._check()
        if tag not in self.local:
            raise Invalid(f"There is no image {tag} here.")
        reference = f"{tag.rpartition(':')[0]}@{self.local[tag].digest}"
        self.registry[reference] = self.local[tag]
        self.after("push")
        return reference

    def has(self, reference: str) -> bool:
        self._check()
        return reference in self.local or reference in self.registry

    def images(self, labels: Mapping[str, str]) -> list[ImageSeen]:
        self._check()
        return [ImageSeen(t, i.labels, i.created) for t, i in self.local.items() if labelled(i.labels, labels)]

    def remove(self, reference: str) -> None:
        self._check()
        self.local.pop(reference, None)
        self.registry.pop(reference, None)

    def _run(self, image: Image, say: Say) -> BuildDone | None:
        """The only thing a Dockerfile of ours runs is the compiler over /app."""
        for name, content in image.files.items():
            if killed := self._killed(name):
                return BuildDone("The command returned a non-zero code: 137", killed)
            if name.startswith("app/") and name.endswith(".py"):
                try:
                    compile(content, name, "exec")
                except SyntaxError as error:
                    say("out", f'  File "/{name}", line {error.lineno}')
                    say("out", f"SyntaxError: {error.msg}")
                    return BuildDone("The command returned a non-zero code: 1")
        return None

    def _killed(self, name: str) -> str:
        return "time" if name in self.slow else "memory" if name in self.hungry else ""

    def _check(self) -> None:
        if self.away:
            raise Unavailable(f"Docker is away: {self.away}")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
