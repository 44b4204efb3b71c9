"""Takes what must not be read out of a build's lines: addresses (the index's above all), logins in them, given secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
ADDRESS = re.compile(r"https?://[^\s,;'\")]+")


class Scrub:
    """`secrets` are texts (a pip.conf, a proxy's address, a password): the hosts and logins in them are hidden too."""

    def __init__(self, secrets: Iterable[str]) -> None:
        hidden: set[str] = set()
        for text in secrets:
            hidden |= {text.strip()} if text and "\n" not in text.strip() else set()
            for address in ADDRESS.findall(text):
                parts = urlsplit(address)
                hidden |= {p for p in (parts.hostname, parts.username, parts.password) if p}
        self._hidden = sorted((h for h in hidden if len(h) > 3), key=len, reverse=True)

    def __call__(self, line: str) -> str:
        line = ADDRESS.sub("(address)", LOGIN.sub("***@", line))
        for hidden in self._hidden:
            line = line.replace(hidden, "***")
        return line
