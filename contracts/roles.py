"""Who may call what: one line per route of the HTTP API. What is not in this table is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

PURPOSES = ("user", "device", "consumer", "app", "subsystem")
ROLES = ("admin", "operator", "developer", "user")
Level = Literal["read", "write", "own"]
TEAM = "ws-"
"""How the name of a directory's group begins whose members share the workspace of that name."""

PREFIX = "/api/v1"


def by_team(groups: Iterable[str]) -> tuple[list[str], list[str]]:
    """(names of workspaces that some of the groups give, the other groups), in their order."""
    some = list(groups)
    return [g.removeprefix(TEAM) for g in some if g.startswith(TEAM)], [g for g in some if not g.startswith(TEAM)]


@dataclass(frozen=True)
class Route:
    """`purposes` are of the tokens that may pass (none: no token is asked for); `roles` count for *user* tokens only.

    `workspace` is what the caller needs in the record's workspace, or in `?workspace=`: its members' read or write, or
    its owner's own. `owner` is the source (subsystem, or subsystem.role) that serves the route; `secret`: the answer
    holds a secret and is never kept.
    """

    method: str
    pattern: str
    owner: str
    purposes: frozenset[str]
    roles: frozenset[str] = frozenset()
    workspace: Level | None = None
    secret: bool = False

    @property
    def open(self) -> bool:
        return not self.purposes

    def admits(self, purpose: str, roles: Iterable[str] = ()) -> bool:
        """Whether a token of this purpose, and of a person with these roles, may pass. Workspaces are asked apart."""
        return self.open or (purpose in self.purposes and (purpose != "user" or not self.roles.isdisjoint(roles)))


ADMIN = frozenset({"admin"})
STAFF = frozenset({"admin", "operator"})
MAKERS = frozenset({"admin", "developer"})
READERS = frozenset({"admin", "operator", "developer"})
EVERYBODY = frozenset(ROLES)


def _open(method: str, path: str, owner: str) -> Route:
    return Route(method, PREFIX + path, owner, frozenset(), secret=True)


def _person(
    method: str, path: str, owner: str, roles: frozenset[str], workspace: Level | None = None, *more: str
) -> Route:
    """For people, and for tokens of the purposes in `more`."""
    return Route(method, PREFIX + path, owner, frozenset({"user", *more}), roles, workspace)


def _thing(method: str, path: str, owner: str, purpose: str, secret: bool = False) -> Route:
    return Route(method, PREFIX + path, owner, frozenset({purpose}), secret=secret)


def _shown_once(method: str, path: str, owner: str) -> Route:
    return Route(method, PREFIX + path, owner, frozenset({"user"}), MAKERS, "write", secret=True)


_S = "subsystem"
_APPS, _NODES, _SENSORS = "app_controller", "node_manager.api", "sensor_manager.api"
_INTAKE, _STREAMS = "sensor_manager.intake", "sensor_manager.streams"

ROUTES: tuple[Route, ...] = (
    _open("POST", "/session", "identity"),
    _open("POST", "/session/refresh", "identity"),
    _person("DELETE", "/session", "identity", EVERYBODY),
    _person("GET", "/me", "identity", EVERYBODY),
    _person("GET", "/workspaces", "identity", EVERYBODY),
    _person("GET", "/people", "identity", ADMIN),
    _thing("POST", "/tokens", "identity", _S, secret=True),
    _thing("DELETE", "/tokens/{jti}", "identity", _S),
    _person("POST", "/releases", _APPS, MAKERS, "write"),
    _person("GET", "/releases/{release}", _APPS, READERS, "read", _S),
    _person("GET", "/apps", _APPS, EVERYBODY, "read"),
    _person("GET", "/apps/{app}/releases", _APPS, READERS, "read"),
    _person("GET", "/deployments", _APPS, EVERYBODY, "read", _S),
    _person("POST", "/deployments", _APPS, MAKERS, "write"),
    _person("GET", "/deployments/{deployment}", _APPS, EVERYBODY, "read", _S),
    _person("GET", "/deployments/{deployment}/events", _APPS, EVERYBODY, "read"),
    _person("POST", "/deployments/{deployment}/stop", _APPS, MAKERS, "write"),
    _person("DELETE", "/deployments/{deployment}", _APPS, MAKERS, "write"),
    _person("GET", "/builds/{release}", "deployer", READERS, "read", _S),
    _person("GET", "/builds/{release}/log", "deployer", READERS, "read"),
    _person("GET", "/builds/{release}/log/events", "deployer", READERS, "read"),
    _person("GET", "/rollouts/{deployment}", "deployer", READERS, "read", _S),
    _person("GET", "/nodes", _NODES, STAFF, None, _S),
    _person("GET", "/instances", _NODES, READERS, "read", _S),
    _person("GET", "/nodes/{node}/figures", _NODES, STAFF),
    _person("GET", "/instances/{instance}/figures", _NODES, READERS, "read"),
    _person("GET", "/figures", _NODES, READERS, "read"),
    _person("GET", "/figures/events", _NODES, READERS, "read"),
    _person("GET", "/kinds", _SENSORS, EVERYBODY, None),
    _person("POST", "/kinds", _SENSORS, MAKERS, None),
    _person("GET", "/places", _SENSORS, EVERYBODY, "read"),
    _person("GET", "/devices", _SENSORS, READERS, "read"),
    _shown_once("POST", "/devices", _SENSORS),
    _person("GET", "/devices/{device}", _SENSORS, READERS, "read"),
    _person("DELETE", "/devices/{device}", _SENSORS, MAKERS, "write"),
    _shown_once("POST", "/devices/{device}/token", _SENSORS),
    _person("GET", "/devices/{device}/events", _SENSORS, READERS, "read"),
    _person("GET", "/sensors", _SENSORS, EVERYBODY, "read"),
    _person("GET", "/bindings", _SENSORS, READERS, "read", _S),
    _person("GET", "/readings", _SENSORS, EVERYBODY, "read"),
    _person("GET", "/readings/latest", _SENSORS, EVERYBODY, "read"),
    _thing("POST", "/readings", _INTAKE, "device"),
    _thing("GET", "/readings/socket", _INTAKE, "device"),
    _thing("GET", "/streams/needs", _STREAMS, "app"),
    _thing("GET", "/streams/latest", _STREAMS, "app"),
    _thing("GET", "/streams/history", _STREAMS, "app"),
    _thing("GET", "/streams/events", _STREAMS, "app"),
    _person("GET", "/subsystems", "monitor", STAFF),
    _person("POST", "/subsystems/{replica}/restart", "monitor", STAFF),
    _person("GET", "/incidents", "monitor", STAFF),
    _person("GET", "/incidents/{incident}", "monitor", STAFF),
    _person("POST", "/incidents/{incident}/acknowledge", "monitor", STAFF),
    _person("GET", "/backing", "monitor", STAFF),
    _person("GET", "/lines", "logger", READERS, "read"),
    _person("GET", "/lines/counts", "logger", READERS, "read"),
    _person("GET", "/lines/events", "logger", READERS, "read"),
    _person("GET", "/openapi/{subsystem}", "", EVERYBODY),
)  # fmt: skip


def shape(pattern: str) -> str:
    """A pattern without its parameters' names, so that `<id>` of one writer and `{device}` of another are the same."""
    return re.sub(r"\{[^{}/]+\}|<[^<>/]+>", "{}", pattern)


_BY_SHAPE = {(route.method, shape(route.pattern)): route for route in ROUTES}
_MATCHERS = [(re.compile(re.sub(r"\\\{\\\}", "[^/]+", re.escape(shape(r.pattern)))), r) for r in ROUTES]


def declared(method: str, pattern: str) -> Route | None:
    """The route declared under this very pattern; None: nobody may call it."""
    return _BY_SHAPE.get(("GET" if method == "HEAD" else method, shape(pattern)))


@lru_cache(maxsize=4096)
def matching(method: str, path: str) -> Route | None:
    """The route that a request's path falls under; a pattern without parameters goes before one with."""
    method = "GET" if method == "HEAD" else method
    found = [r for regex, r in _MATCHERS if r.method == method and regex.fullmatch(path)]
    return min(found, key=lambda r: r.pattern.count("{"), default=None)
