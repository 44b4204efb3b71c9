"""A browser in a network of its own, with only the tested ports in it: containers that come and go change the machine's
network, and Chromium then drops whatever is under way.

Outside, `Apart` passes connections from sockets in a folder on to the ports; inside, this file is run as a script: it
listens on the same ports, passes them out by the folder's sockets, and becomes the browser.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, UP, PDEATHSIG = 0x8913, 0x8914, 0x1, 1


class Apart:
    """`start` gives what to run in the browser's place."""

    def __init__(self, folder: Path, ports: Sequence[int], browser: str) -> None:
        self._folder, self._ports, self._browser = folder, ports, browser
        self._loop = asyncio.new_event_loop()

    def start(self) -> str:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        for port in self._ports:
            serving = asyncio.start_unix_server(_to_port(port), self._folder / str(port))
            asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        alone = "-n" if os.geteuid() == 0 else "-rn"
        ports = ",".join(map(str, self._ports))
        script = self._folder / "browser"
        script.write_text(f'#!/bin/sh\nexec unshare {alone} {sys.executable} {__file__} {self._folder} {ports} {self._browser} "$@"\n')
        script.chmod(0o700)
        return str(script)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


def _to_port(port: int) -> asyncio.streams._ClientConnectedCallback:
    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _both(reader, writer, *await asyncio.open_connection("127.0.0.1", port))

    return passed


def _to_socket(path: Path) -> asyncio.streams._ClientConnectedCallback:
    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _both(reader, writer, *await asyncio.open_unix_connection(path))

    return passed


async def _both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, far: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    await asyncio.gather(_pump(reader, to), _pump(far, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def _listen(folder: Path, ports: Sequence[int]) -> None:
    servers = [await asyncio.start_server(_to_socket(folder / str(port)), ["127.0.0.1", "::1"], port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _loopback_up() -> None:
    with socket.socket() as any_socket:
        asked = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags | UP, b""))


def _inside(folder: Path, ports: Sequence[int], browser: Sequence[str]) -> None:
    _loopback_up()
    if os.fork():
        os.execv(browser[0], list(browser))
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)
    os.closerange(3, 10)  # the browser's own pipes
    asyncio.run(_listen(folder, ports))


if __name__ == "__main__":
    _inside(Path(sys.argv[1]), [int(port) for port in sys.argv[2].split(",")], sys.argv[3:])
