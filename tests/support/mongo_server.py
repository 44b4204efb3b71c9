"""A MongoDB-wire server for the tests: MONGO_URL's where it is set, else SecantusDB, built once and kept outside the checkout.

    mongo_server.py build             makes the server if it is not there; 3 to 7 minutes on two cores, nothing the second time
    mongo_server.py start PORT DIR    starts it on 127.0.0.1:PORT with its data in DIR, prints its URL once it answers
    mongo_server.py stop DIR          ends the one that `start` left running on DIR

Needs only the standard library, so that a build can begin before any virtual environment stands. Every verb may be
repeated; a build that is killed leaves nothing that counts as built, and the next one goes on from where it was.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

VERSION = "0.5.3-beta.196"
PROGRAM = "secantusd-rs"
TOOLS = {"cargo": "Rust (https://rustup.rs)", "cc": "a C compiler (apt-get install build-essential)",
         "cmake": "cmake (apt-get install cmake)"}


def cache() -> Path:
    """BERTH_CACHE, or ~/.cache/berth."""
    return Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache" / "berth")


def home() -> Path:
    return cache() / f"secantus-{VERSION}"


def build() -> None:
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / f"secantus-{VERSION}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second build waits for the first, then finds it whole
        if home().exists():
            return
        missing = [why for tool, why in TOOLS.items() if not shutil.which(tool)]
        if missing:
            sys.exit(f"SecantusDB cannot be built without {', '.join(missing)}. Install it, or set MONGO_URL.")
        aside, target = (home().with_name(f"{home().name}.{part}") for part in ("making", "target"))
        shutil.rmtree(aside, ignore_errors=True)
        done = subprocess.run(
            ["nice", "-n", "10", "cargo", "install", "secantus-mdb", "--locked", "--version", VERSION,
             "--ignore-rust-version", "--root", str(aside)],
            check=False, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, preexec_fn=die_with_parent)
        if done.returncode or not (aside / "bin" / PROGRAM).exists():
            sys.exit(f"SecantusDB was not built (cargo ended with {done.returncode}); the reason is above.")
        aside.rename(home())
        shutil.rmtree(target, ignore_errors=True)


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: a killed test run must not leave a compiler running


def start(port: int, folder: Path) -> str:
    """The URL, once the server answers there."""
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    if answers(port):
        return url
    build()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "server.log", "ab") as log:
        server = subprocess.Popen(
            [str(home() / "bin" / PROGRAM), "--port", str(port), "--storage-path", str(folder / "data"),
             "--sync-on-commit", "--cache-size", "256M"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (folder / "pid").write_text(str(server.pid))
    deadline = time.monotonic() + 30
    while not answers(port):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            tail = (folder / "server.log").read_text(errors="replace")[-2000:]
            sys.exit(f"SecantusDB does not answer on port {port}; the end of {folder / 'server.log'}:\n{tail}")
        time.sleep(0.05)
    return url


def stop(folder: Path) -> None:
    note = folder / "pid"
    if not note.exists():
        return
    pid = int(note.read_text())
    if PROGRAM in name_of(pid):  # the number may belong to someone else by now
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while PROGRAM in name_of(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
    note.unlink()


def name_of(pid: int) -> str:
    """The running program's command line; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def answers(port: int) -> bool:
    """Whether {ping: 1} gets an answer, by hand: the first bytes of the protocol are older than any driver."""
    body = b"\x10ping\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6) + b"admin\0\0"
    message = struct.pack("<ib", 0, 0) + struct.pack("<i", len(body) + 4) + body  # flags, section kind 0, one document
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as peer:
            peer.sendall(struct.pack("<iiii", len(message) + 16, 1, 0, 2013) + message)
            return b"ok\0" in peer.recv(4096)
    except OSError:
        return False


def main(words: list[str]) -> None:
    given = os.environ.get("MONGO_URL")
    match words:
        case ["build"]:
            if not given:
                build()
        case ["start", port, folder] if port.isdigit():
            print(given or start(int(port), Path(folder)))
        case ["stop", folder]:
            stop(Path(folder))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
