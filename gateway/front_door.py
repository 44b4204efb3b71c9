"""The front door as the gateway needs it: a table of links and servers, and the tokens that count no more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.errors import Invalid

PATH = re.compile(r"/[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*/")


@dataclass(frozen=True, order=True)
class Server:
    """One instance: host:port as HAProxy reaches it, and its share (1 to 256) among the route's servers."""

    address: str
    weight: int = 100


Table = dict[str, tuple[Server, ...]]
"""Path -> the servers that take traffic, by address."""


class FrontDoor(Protocol):
    """HAProxy beside this process; used by one thread. Every verb may be repeated, and raises Unavailable while it is away.

    A path is `/<workspace>/<deployment>/`. What was put is kept in HAProxy's files too, so it outlives HAProxy and us.
    """

    def table(self) -> Table:
        """What is really served now, as HAProxy says, not as we remember. A path without servers answers 503."""

    def put(self, path: str, servers: Sequence[Server]) -> None:
        """The path leads to these and no others; new ones come in before old ones drain. Beyond its slots the last are left out.

        Unavailable: no spare route is left.
        """

    def drop(self, path: str) -> None:
        """The path answers 404; its servers finish what they have."""

    def tend(self) -> None:
        """Takes out what has drained. Called often."""

    def revoke(self, tokens: Mapping[str, str]) -> None:
        """Exactly these tokens (jti -> its end, RFC 3339) are refused from now on."""


def checked(path: str) -> str:
    """With its slash at the end; Invalid for what cannot be a link."""
    whole = path if path.endswith("/") else path + "/"
    if not PATH.fullmatch(whole):
        raise Invalid(f"{path!r} is not a link's path; it is /<workspace>/<deployment>/ in small letters, digits, '-', '_' and '.'.")
    return whole
