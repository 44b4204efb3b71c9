"""What shapes HAProxy's configuration: frozen facts about one installation, and, from the table of routes, who serves which noun."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.roles import PREFIX, ROUTES, Route

FOLDER = "/run/haproxy"
PUBLIC_TLS, PUBLIC_PLAIN, APPS_TLS, APPS_PLAIN, INTERNAL = 8443, 8080, 8444, 8081, 8090
PORT = 8000
"""Every subsystem's own HTTP port."""

UI = "platform_ui"
BACKENDS: tuple[str, ...] = (*dict.fromkeys(r.owner for r in ROUTES if r.owner), UI)
"""HAProxy's backends bear the names of the sources that serve them: `<subsystem>` or `<subsystem>.<role>`."""


def _noun(route: Route) -> str:
    return route.pattern.removeprefix(PREFIX).split("/")[1]


NOUNS: dict[str, str] = {_noun(r): r.owner for r in reversed(ROUTES) if r.owner}
"""First word after /api/v1/ -> backend: that of the noun's first route."""
OTHERWISE: tuple[Route, ...] = tuple(r for r in ROUTES if r.owner and r.owner != NOUNS[_noun(r)])
"""Routes that another backend serves than the rest of their noun; none has a parameter."""
DOCUMENTS: dict[str, str] = {name: b for b in reversed(BACKENDS) for name in (b, b.split(".")[0])}
"""Name in /api/v1/openapi/<name> -> backend."""


@dataclass(frozen=True)
class Door:
    """`keys` is how many public keys stand beside the configuration; rates are per source address and ten seconds.

    `service_names` says otherwise where a backend's Swarm service is not `<installation>-<service>`.
    """

    installation: str = "berth"
    public_url: str = "https://localhost:8443"
    apps_url: str = "https://127.0.0.1:8444"
    folder: str = FOLDER
    keys: int = 1
    routes: int = 250
    slots: int = 8
    threads: int = 2
    upload_bytes: int = (1 << 30) + (1 << 20)
    body_bytes: int = 8 << 20
    login_rate: int = 100
    login_failures: int = 10
    resolver: str = "127.0.0.11:53"
    ports: tuple[int, int, int, int, int] = (PUBLIC_TLS, PUBLIC_PLAIN, APPS_TLS, APPS_PLAIN, INTERNAL)
    service_names: tuple[tuple[str, str], ...] = ()

    def service(self, backend: str) -> str:
        """host:port of a backend's replicas; the host is a name with one address per replica."""
        return dict(self.service_names).get(backend, f"{self.installation}-{backend.replace('_', '-').replace('.', '-')}:{PORT}")
