"""haproxy.cfg as a pure function of the installation: what is fixed, then the apps' backends, which change with every route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway import apps, rules
from gateway.door import BACKENDS, DOCUMENTS, NOUNS, UI, Door
from gateway.pages import PAGES

MARK = "# ---- apps: below is written by the gateway beside every change at run time ----\n"
Slots = Mapping[str, Sequence[tuple[str, int]]]
"""Backend -> its taken slots in order: (host:port, weight)."""


def render(door: Door) -> str:
    """The whole file with no app routed."""
    return front(door) + MARK + apps.backends(door, {})


def front(door: Door) -> str:
    parts = (_global(door), _resolvers(door), _defaults(), _public(door), _internal(door), apps.frontend(door))
    return "\n".join((*parts, _logins(), *(_backend(door, name) for name in BACKENDS))) + "\n"


def with_apps(text: str, door: Door, taken: Slots) -> str:
    """The file `text` with other apps' backends; Invalid text has no mark and raises ValueError."""
    head, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError("haproxy.cfg has lost the line that divides what is fixed from the apps' backends; run `up` again.")
    return head + MARK + apps.backends(door, taken)


def files(door: Door, keys: Sequence[str]) -> dict[str, str]:
    """Everything beside haproxy.cfg but tls.pem: name -> text. The two maps that change start empty."""
    return {
        "nouns.map": "".join(f"{noun} {backend}\n" for noun, backend in NOUNS.items()),
        "documents.map": "".join(f"{name} {backend}\n" for name, backend in DOCUMENTS.items()),
        "routes.map": "",
        "revoked.map": "",
        **{f"key-{n}.pem": pem for n, pem in enumerate(keys)},
        **PAGES,
    }


def section(title: str, lines: Iterable[str]) -> str:
    return title + "\n" + "".join(f"  {line}\n" for line in lines)


def _global(door: Door) -> str:
    return section(
        "global",
        (
            f"stats socket {door.folder}/admin.sock mode 660 level admin expose-fd listeners",
            "stats timeout 1m",
            "log stdout format raw local0 info",
            "fd-hard-limit 16384",
            f"nbthread {door.threads}",
            "expose-experimental-directives  # for normalize-uri alone",
            "tune.ssl.default-dh-param 2048",
            "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
        ),
    )


def _resolvers(door: Door) -> str:
    """Docker's own names: one address per replica; where the daemon is away, the last ones stay."""
    holds = ("valid 1s", "nx 1s", "obsolete 1s", "other 30s", "refused 30s", "timeout 30s")
    return section(
        "resolvers docker",
        (
            f"nameserver dns {door.resolver}",
            "accepted_payload_size 8192",
            "resolve_retries 2",
            "timeout resolve 1s",
            "timeout retry 500ms",
            *(f"hold {hold}" for hold in holds),
        ),
    )


def _defaults() -> str:
    return section(
        "defaults",
        (
            "mode http",
            "log global",
            "option redispatch 1",
            "retries 3",
            "retry-on conn-failure empty-response",
            "timeout connect 2s",
            "timeout check 2s",
            "timeout http-request 10s",
            "timeout http-keep-alive 60s",
            "timeout client 30s",
            "timeout server 60s",
            "timeout queue 5s",
            "timeout tunnel 1h",
            "timeout client-fin 10s",
        ),
    )


def _checked(door: Door) -> list[str]:
    return [*rules.trace(door), *rules.path(merge=True), *rules.sizes(door)]


def _routed(door: Door) -> list[str]:
    return [
        *rules.tokens(door),
        *rules.nouns(door),
        *rules.retries(),
        "use_backend %[var(txn.be)] if { var(txn.be) -m found }",
        f"default_backend {UI}",
    ]


def _public(door: Door) -> str:
    tls, plain = door.ports[:2]
    return section(
        "frontend public",
        (
            f"bind :{tls} ssl crt {door.folder}/tls.pem alpn h2,http/1.1",
            f"bind :{plain}",
            rules.log_line("public"),
            *_checked(door),
            f"http-request redirect prefix {door.public_url} code 308 unless {{ ssl_fc }} or {rules.API}",
            *rules.logins(door),
            *rules.forwarded(door),
            "http-after-response set-header X-Content-Type-Options nosniff",
            *_routed(door),
        ),
    )


def _internal(door: Door) -> str:
    """For the platform's own parts: no TLS, the same checks, no limit by address, for all come from few. /alive it answers itself."""
    lines = (f"bind :{door.ports[4]}", "monitor-uri /alive", rules.log_line("internal"), *_checked(door), *_routed(door))
    return section("frontend internal", lines)


def _logins() -> str:
    return section("backend logins", ("stick-table type ipv6 size 100k expire 1m store http_req_rate(10s),http_err_rate(10s)",))


def _backend(door: Door, name: str) -> str:
    """Up to four replicas, found by name; one that is not ready gets nothing."""
    json = name != UI
    away = f"No replica of {door.service(name).split(':')[0]} is ready; try again in a moment, or look at /api/v1/subsystems."
    return section(
        f"backend {name}",
        (
            "balance leastconn",
            "option httpchk",
            "http-check send meth GET uri /ready ver HTTP/1.1 hdr Host berth",
            "http-check expect status 200",
            *rules.patience(),
            *(rules.failure(status, away) if json else rules.failure_page(status, door, "starting.html") for status in (502, 503, 504)),
            "default-server check inter 5s fastinter 200ms downinter 500ms fall 2 rise 1 observe layer4 error-limit 1 on-error fastinter",
            f"server-template r 4 {door.service(name)} resolvers docker init-addr none resolve-prefer ipv4",
        ),
    )
