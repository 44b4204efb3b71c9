"""Builds by Docker's own builder: jobs with limits, images without network, the registry."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

import docker  # type: ignore[import-untyped]  # its stubs lag behind it

from backbone.containers import BuildDone, ImageSeen, Job, JobDone, Limits, Say
from backbone.containers.engine_connection import BROKEN, USER, Connection, by_labels, told
from contracts.errors import Unavailable
from contracts.lines import LOG_FILES

MEMORY_KILLED = 137
RED = "\x1b[91m"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PUSH_SILENCE = 120


class Builder(docker.APIClient):  # type: ignore[misc]
    """docker-py knows too few of the builder's limits: the rest goes with the request. `cut` ends a build from another thread."""

    extra: Mapping[str, Any] = {}
    answer: Any = None

    def _post(self, url: str, **more: Any) -> Any:
        if url.endswith("/build"):
            more["params"] = {**more["params"], **self.extra}
        self.answer = super()._post(url, **more)
        return self.answer

    def cut(self) -> None:
        """The builder ends what it is at when its client goes away; a close alone would not wake a reader."""
        if self.answer is None:
            self.close()
        else:
            self._get_raw_response_socket(self.answer)._sock.shutdown(socket.SHUT_RDWR)


class EngineImages:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def run(self, job: Job, say: Say) -> JobDone:
        client = self._c.client(job.limits.seconds + 10)
        with told("running a job"):
            made = client.create_container(
                job.image, list(job.command), user=USER, environment={"HOME": "/tmp", **job.environment}, working_dir="/tmp",
                labels=dict(job.labels), entrypoint=[], host_config=self._host(client, job),
            )["Id"]  # fmt: skip
        late = threading.Event()

        def end() -> None:
            late.set()
            _quietly(lambda: self._c.api.kill(made))

        timer = threading.Timer(job.limits.seconds, end)
        try:
            with told("running a job"):
                client.put_archive(made, "/tmp", _tar({f"in/{name}": content for name, content in job.files.items()}))
                output = client.attach(made, stdout=True, stderr=True, stream=True, demux=True)
                timer.start()
                client.start(made)
                for stream, line in _lines(output):
                    say(stream, line)
                code = int(client.wait(made)["StatusCode"])
                state = client.inspect_container(made)["State"]
                # Docker may hear of the kernel's kill only after the end; nobody else kills a job by SIGKILL
                starved = state.get("OOMKilled") or code == MEMORY_KILLED
                killed = "time" if late.is_set() else "memory" if starved else ""
                out = self._folder(client, made, job.out) if job.out and code == 0 else None
            return JobDone(code, killed, out)
        finally:
            timer.cancel()
            _quietly(lambda: client.remove_container(made, force=True, v=True))
            client.close()

    def build(self, tag: str, context: BinaryIO, labels: Mapping[str, str], limits: Limits, say: Say) -> BuildDone:
        client = self._c.client(limits.seconds, Builder)
        client.extra = {
            "cpuperiod": 100_000, "cpuquota": int(limits.cpu * 100_000),
            "ulimits": json.dumps([{"Name": "nproc", "Soft": limits.pids, "Hard": limits.pids}]),
        }  # fmt: skip
        late = threading.Event()

        def end() -> None:
            late.set()
            _quietly(client.cut)

        timer = threading.Timer(limits.seconds, end)
        timer.start()
        try:
            with told(f"building {tag}"):
                lines = client.build(
                    fileobj=context, custom_context=True, tag=tag, labels=dict(labels) or None, rm=True, forcerm=True, decode=True,
                    network_mode="none", container_limits={"memory": limits.memory, "memswap": limits.memory},
                )  # fmt: skip
                error, code = _heard(lines, say)
        except Unavailable:
            if late.is_set():
                return BuildDone("it was ended", "time")
            raise
        finally:
            timer.cancel()
            client.close()
        if late.is_set():
            return BuildDone("it was ended", "time")
        return BuildDone(error, "memory" if code == MEMORY_KILLED else "")

    def push(self, tag: str) -> str:
        name, _, version = tag.rpartition(":")
        client, digest = self._c.client(PUSH_SILENCE), ""
        with told(f"pushing {tag}"):
            for line in client.push(name, version, stream=True, decode=True):
                if "error" in line:
                    raise Unavailable(f"The registry did not take {tag}: {line['error']}")
                digest = (line.get("aux") or {}).get("Digest", digest)
        client.close()
        if not digest:
            raise Unavailable(f"The registry took {tag} and did not say its digest.")
        return f"{name}@{digest}"

    def has(self, reference: str) -> bool:
        with told(f"looking for {reference}"):
            try:
                self._c.api.inspect_image(reference)
            except docker.errors.NotFound:
                return False
        return True

    def images(self, labels: Mapping[str, str]) -> list[ImageSeen]:
        with told("listing images"):
            found = self._c.api.images(filters=by_labels(labels))
        return [ImageSeen(tag, f.get("Labels") or {}, str(f["Created"])) for f in found for tag in f.get("RepoTags") or []]

    def remove(self, reference: str) -> None:
        if "@" in reference:
            self._remove_from_registry(reference)
        try:
            with told(f"removing {reference}"):
                self._c.api.remove_image(reference)
        except docker.errors.NotFound:
            pass
        except Unavailable as error:
            if "conflict" not in error.detail:
                raise

    def _remove_from_registry(self, reference: str) -> None:
        """A registry that does not delete keeps it: that costs disk only."""
        name, _, digest = reference.partition("@")
        host, _, repository = name.partition("/")
        login = base64.b64encode(":".join(self._c.login).encode()).decode()
        url = f"https://{host}/v2/{repository}/manifests/{digest}"
        request = urllib.request.Request(url, method="DELETE", headers={"Authorization": f"Basic {login}"})
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self._c.tls), urllib.request.ProxyHandler({}))
        try:
            opener.open(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            if error.code not in (404, 405):
                raise Unavailable(f"The registry did not remove {reference}: {error.code}.") from error
        except OSError as error:
            raise Unavailable(f"The registry does not answer: {error}.") from error

    def _host(self, client: Any, job: Job) -> Any:
        return client.create_host_config(
            mem_limit=job.limits.memory, memswap_limit=job.limits.memory, cpu_period=100_000, cpu_quota=int(job.limits.cpu * 100_000),
            pids_limit=job.limits.pids, cap_drop=["ALL"], security_opt=["no-new-privileges"], init=True,
            network_mode="bridge" if job.network else "none", log_config={"Type": "json-file", "Config": LOG_FILES},
        )  # fmt: skip

    def _folder(self, client: Any, container: str, path: str) -> BinaryIO:
        file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (the caller reads it)
        try:
            chunks, _ = client.get_archive(container, path)
        except docker.errors.NotFound:
            return _tar({})
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        return file


def _heard(lines: Any, say: Say) -> tuple[str, int]:
    """Says the builder's words; gives its error with the exit code."""
    error, code, half = "", 0, ""
    for line in lines:
        if "stream" in line:
            *whole, half = (half + line["stream"]).split("\n")
            for text in filter(str.strip, whole):
                say("err" if RED in text else "out", COLOUR.sub("", text))
        if "error" in line:
            error = line["error"].strip()
            code = (line.get("errorDetail") or {}).get("code", 0)
            say("err", error)
    return error, code


def _lines(output: Any) -> Iterator[tuple[str, str]]:
    """Whole lines of both streams as they come, then what is left without an end."""
    half = {"out": b"", "err": b""}
    for out, err in output:
        for stream, part in (("out", out), ("err", err)):
            *whole, half[stream] = (half[stream] + (part or b"")).split(b"\n")
            yield from ((stream, line.decode("utf-8", "replace").rstrip("\r")) for line in whole)
    yield from ((stream, rest.decode("utf-8", "replace")) for stream, rest in half.items() if rest)


def _tar(files: Mapping[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o444
            tar.addfile(info, io.BytesIO(content))
    out.seek(0)
    return out


def _quietly(call: Any) -> None:
    """Tidying: what is gone already, or cannot be had now, is no news."""
    try:
        call()
    except BROKEN:
        pass
