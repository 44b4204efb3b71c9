"""WSGI inside ASGI for small requests: body read on the loop under a cap, the whole call in one thread hop, one answer.

What streams is a live route. A broken upload never reaches Flask, and a half-sent body holds no thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from backbone.http_problems import SECURITY_HEADERS, Answered, problem

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]


class Bridge:
    """`most` bytes of a body are taken; `threads` requests are worked on at a time, the others wait."""

    def __init__(self, app: Wsgi, threads: int = 10, most: int = 1 << 20) -> None:
        self.app, self.most = app, most
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="wsgi")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        body, more = bytearray(), True
        while more:
            part = await receive()
            if part["type"] == "http.disconnect":
                return
            body += part.get("body", b"")
            more = part.get("more_body", False)
            if len(body) > self.most:
                await self._too_large(send)
                return
        context, loop = contextvars.copy_context(), asyncio.get_running_loop()
        status, headers, answer = await loop.run_in_executor(self.threads, context.run, self._call, scope, bytes(body))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _too_large(self, send: Any) -> None:
        status, headers, body = problem(
            413, f"A body here holds at most {self.most} bytes.", headers={"Connection": "close"}
        )
        await send({"type": "http.response.start", "status": status, "headers": raw_headers((status, headers, body))})
        await send({"type": "http.response.body", "body": body})

    def _call(self, scope: Any, body: bytes) -> tuple[int, Headers, bytes]:
        started: list[Any] = []
        parts = self.app(environ(scope, body), lambda status, headers, exc_info=None: started.append((status, headers)))
        try:
            answer = b"".join(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        status, headers = started[-1]
        return int(status[:3]), [(k.lower().encode("latin1"), v.encode("latin1")) for k, v in headers], answer


def raw_headers(answer: Answered) -> Headers:
    status, headers, body = answer
    given = {**SECURITY_HEADERS, **headers, "Content-Length": str(len(body))}
    return [(k.lower().encode("latin1"), v.encode("latin1")) for k, v in given.items()]


def environ(scope: Any, body: bytes) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an ASGI request whose whole body is here."""
    host, port = scope.get("server") or ("localhost", 80)
    out: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for key, value in scope["headers"]:
        name = "HTTP_" + key.decode("latin1").upper().replace("-", "_")
        text = value.decode("latin1")
        out[name] = f"{out[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{text}" if name in out else text
    if "HTTP_CONTENT_TYPE" in out:
        out["CONTENT_TYPE"] = out.pop("HTTP_CONTENT_TYPE")
    out.pop("HTTP_CONTENT_LENGTH", None)
    out.pop("HTTP_TRANSFER_ENCODING", None)
    out["CONTENT_LENGTH"] = str(len(body))
    return out
