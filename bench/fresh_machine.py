"""A machine as new on this host: namespaces of its own, an empty disk for Docker and Berth, a way to the package registries."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bootstrapper.given import KEPT

ROOT = Path(__file__).resolve().parents[1]
NAME = "berth-fresh"
POOL = "10.79.0.0/16"
OUTSIDE, INSIDE = "berth-fresh0", "eth0"
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
CGROUPS = Path("/sys/fs/cgroup")
# how this machine reaches its registries; a cache or a wheel that lies about is not among them
SETTINGS_OF_HOME = (".npmrc", ".pip/pip.conf", ".config/pip/pip.conf", ".config/uv/uv.toml", ".m2/settings.xml", ".netrc")
NOT_FRESH = ("BERTH_", "LOGIN_", "XDG_", "VIRTUAL_ENV", "PYTHONPATH", "PIP_FIND_LINKS", "PIP_CACHE", "UV_CACHE", "npm_config_cache")


class FreshMachine:
    """`folder` must lie on a real disk (no overlay): it holds Docker's data. Used as a context; leaving it removes everything."""

    def __init__(self, folder: Path = Path("/var/tmp") / NAME) -> None:
        self.folder = folder
        self._init: int | None = None
        self._outer: subprocess.Popen[str] | None = None

    def __enter__(self) -> FreshMachine:
        problems = lacking()
        if problems:
            raise SystemExit("A fresh machine cannot be made here: " + "; ".join(problems))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self.folder.parent / f"{self.folder.name}.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"Another fresh machine stands already: {self._lock.name} is held.") from None
        self._clear()  # what a killed run left
        try:
            self._make()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, *words: str, cwd: str = "/srv/berth", out: int | None = None) -> subprocess.Popen[str]:
        """Start a program there. It, and all it starts, ends with the machine at the latest."""
        joined = 'for f in "$@"; do [ "$f" != -- ] || break; echo $$ > "$f"; shift; done; shift; exec "$@"'
        enter = ("nsenter", "--target", str(self._init), "--mount", "--uts", "--net", "--pid", "--cgroup", f"--wdns={cwd}", "--")
        full = ["sh", "-c", joined, "sh", *(str(c / "cgroup.procs") for c in cgroups()), "--", *enter, *words]
        err = subprocess.STDOUT if out else None
        return subprocess.Popen(full, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True)

    def reboot(self) -> None:
        """All its processes are killed at once, as by a pulled plug; its disk stays."""
        self._kill()
        self._boot()

    def peak_mib(self) -> float:
        """The most memory that all of it held at once, page cache included."""
        return int((CGROUPS / "memory" / NAME / "memory.max_usage_in_bytes").read_text()) / 2**20

    def _make(self) -> None:
        for part in ("docker", "etc-docker", "mnt", "disk/berth", "disk/home", "disk/lib"):
            (self.folder / part).mkdir(parents=True)
        copy_checkout(self.folder / "disk/berth")
        for name in SETTINGS_OF_HOME:
            if (source := Path.home() / name).exists():
                (to := self.folder / "disk/home" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, to)
        self._wire()
        for cgroup in cgroups():
            cgroup.mkdir(exist_ok=True)
        (CGROUPS / "memory" / NAME / "memory.use_hierarchy").write_text("1")
        for name in ("cpus", "mems"):
            (CGROUPS / "cpuset" / NAME / f"cpuset.{name}").write_text((CGROUPS / "cpuset" / f"cpuset.{name}").read_text())
        self._boot()

    def _wire(self) -> None:
        """A pair of interfaces and NAT, so that the registries are reached just as from the host. Nothing comes in by it."""
        net, mtu = free_subnet(), default_mtu()
        here, there = (str(a) for a in net.hosts())
        self._address = there
        sh("ip", "netns", "add", NAME)
        sh("ip", "link", "add", OUTSIDE, "mtu", mtu, "type", "veth", "peer", "name", INSIDE, "mtu", mtu, "netns", NAME)
        sh("ip", "addr", "add", f"{here}/30", "dev", OUTSIDE)
        sh("ip", "link", "set", OUTSIDE, "up")
        for words in (f"addr add {there}/30 dev {INSIDE}", f"link set {INSIDE} up", "link set lo up", f"route add default via {here}"):
            sh("ip", "-n", NAME, *words.split())
        for rule in rules():
            sh("iptables", *rule[:2], "-I", *rule[2:])

    def _boot(self) -> None:
        inside = ("ip", "netns", "exec", NAME, "unshare", "-m", "-u", "-p", "-C", "--fork", "--kill-child", "--propagation", "private")
        joined = 'for f in $JOIN; do echo $$ > "$f"; done; exec "$@"'
        script = str(Path(__file__).with_suffix(".sh"))
        env = {**environment(), "CONTROLLERS": " ".join(CONTROLLERS), "JOIN": " ".join(str(c / "cgroup.procs") for c in cgroups())}
        words = ["sh", "-c", joined, "sh", *inside, "bash", script, str(self.folder), self._address]
        log = self.folder / "machine.log"
        with log.open("w") as err:
            self._outer = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=err, text=True, preexec_fn=_die_with_parent)
        assert self._outer.stdout
        if self._outer.stdout.readline() != "ready\n":
            raise SystemExit(f"The fresh machine did not start: {log.read_text()[-500:]}")
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
        self._init = int(children[0])

    def _kill(self) -> None:
        """The namespace's process 1 takes all its others along."""
        if self._outer:
            self._outer.kill()
            self._outer.wait()
        self._outer = self._init = None
        end = time.monotonic() + 20
        while any((c / "cgroup.procs").read_text() for c in CGROUPS.glob(f"pids/{NAME}/**/") if c.exists()):
            if time.monotonic() > end:
                raise SystemExit(f"Processes of the fresh machine do not end: see {CGROUPS}/pids/{NAME}")
            time.sleep(0.05)

    def _end(self) -> None:
        before = [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)]
        try:
            self._kill()
            self._clear()
            self.folder.rmdir()
            Path(self._lock.name).unlink()
        finally:
            for s, handler in zip((signal.SIGINT, signal.SIGTERM), before):
                signal.signal(s, handler)
            self._lock.close()

    def _clear(self) -> None:
        for rule in rules():
            while not sh("iptables", *rule[:2], "-D", *rule[2:], check=False):
                pass
        sh("ip", "link", "del", OUTSIDE, check=False)
        sh("ip", "netns", "del", NAME, check=False)
        for cgroup in cgroups():
            for folder in sorted(cgroup.glob("**/"), reverse=True):
                folder.rmdir()
        for part in self.folder.iterdir():
            shutil.rmtree(part) if part.is_dir() else part.unlink()


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


def sh(*words: str, check: bool = True) -> int:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise SystemExit(f"`{' '.join(words)}` failed: {done.stderr.strip()}")
    return done.returncode


def lacking() -> list[str]:
    """Why no fresh machine can be made here, each with what helps."""
    found = [] if os.geteuid() == 0 else ["run it as root"]
    found += [f"{name} is missing" for name in ("unshare", "nsenter", "ip", "iptables") if not shutil.which(name)]
    if missing := [c for c in CONTROLLERS if not (CGROUPS / c).is_dir()]:
        found.append(f"it is written for cgroup v1, and these controllers are not there: {' '.join(missing)}")
    return found


def cgroups() -> list[Path]:
    return [CGROUPS / c / NAME for c in CONTROLLERS]


def rules() -> list[tuple[str, ...]]:
    """(-t, table, chain, ...): answers may come back, nobody may come in."""
    ours = ("-m", "comment", "--comment", NAME)
    back = ("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED")
    return [
        ("-t", "nat", "POSTROUTING", *ours, "-s", POOL, "!", "-d", POOL, "-j", "MASQUERADE"),
        ("-t", "filter", "FORWARD", *ours, "-i", OUTSIDE, "-j", "ACCEPT"),
        ("-t", "filter", "FORWARD", *ours, "-o", OUTSIDE, *back, "-j", "ACCEPT"),
    ]


def environment() -> Mapping[str, str]:
    """The host's, without what belongs to another installation or to a cache."""
    kept = {k: v for k, v in os.environ.items() if k not in KEPT and not k.startswith(NOT_FRESH)}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**kept, "HOME": "/srv/home", "PATH": path, "BERTH_HOME": "/srv/lib", "COLUMNS": "140"}


def copy_checkout(to: Path) -> None:
    """What git knows of and what it does not ignore: no environment, no caches."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        with contextlib.suppress(FileNotFoundError):  # removed, and git not yet told
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name, follow_symlinks=False)


def _routes() -> Iterator[dict[str, str]]:
    yield from json.loads(subprocess.run(["ip", "-4", "-j", "route"], capture_output=True, text=True, check=True).stdout)


def free_subnet() -> ipaddress.IPv4Network:
    used = [ipaddress.IPv4Network(r["dst"], strict=False) for r in _routes() if r.get("dst", "default") != "default"]
    return next(c for c in ipaddress.IPv4Network(POOL).subnets(new_prefix=30) if not any(c.overlaps(u) for u in used))


def default_mtu() -> str:
    device = next((r["dev"] for r in _routes() if r.get("dst") == "default"), "lo")
    return Path(f"/sys/class/net/{device}/mtu").read_text().strip()
