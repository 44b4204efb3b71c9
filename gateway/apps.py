"""The apps' origin: a link leads to one of the spare backends, whose slots hold the deployment's instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway import rules
from gateway.door import Door

COOKIE = "(__Host-|__Secure-)?berth[^=;]*"
"""Names that only the platform uses; apps neither get nor set them."""


def frontend(door: Door) -> str:
    tls, plain = door.ports[2:4]
    table = f"{door.folder}/routes.map"
    page = f'content-type "text/html; charset=utf-8" lf-file {door.folder}/no-app.html'
    kept = f"%[req.fhdr(cookie),regsub('(^|; *){COOKIE}=[^;]*','',gi),regsub('^; *','')]"
    lines = (
        f"bind :{tls} ssl crt {door.folder}/tls.pem alpn h2,http/1.1",
        f"bind :{plain}",
        rules.log_line("apps"),
        *rules.trace(door),
        *rules.path(merge=False),
        f"http-request set-var(txn.be) path,map_beg({table})",
        f"http-request set-var(txn.slash) path,concat(/),map_str({table}) unless {{ var(txn.be) -m found }}",
        "acl has_query query -m found",
        "http-request redirect code 308 location %[path]/?%[query] if { var(txn.slash) -m found } has_query",
        "http-request redirect code 308 location %[path]/ if { var(txn.slash) -m found }",
        f"http-request return status 404 {page} unless {{ var(txn.be) -m found }}",
        *rules.forwarded(door),
        "http-request set-header X-Forwarded-Prefix /%[path,field(2,/)]/%[path,field(3,/)]",
        "http-request del-header Authorization",
        f'http-request set-header Cookie "{kept}" if {{ req.fhdr(cookie) -m found }}',
        "http-request del-header Cookie if { req.fhdr(cookie) -m len 0 }",
        f'http-response replace-header Set-Cookie "^ *{COOKIE} *=.*" "refused=; Max-Age=0"',
        *rules.retries(),
        "http-request replace-path ^/[^/]+/[^/]+/(.*) /\\1",
        "use_backend %[var(txn.be)]",
    )
    return "frontend apps\n" + "".join(f"  {line}\n" for line in lines)


def backends(door: Door, taken: Mapping[str, Sequence[tuple[str, int]]]) -> str:
    """All spare backends; those in `taken` begin with their instances, so that a restart comes back with its routes."""
    defaults = (
        "defaults apps",
        "  mode http",
        "  log global",
        "  balance roundrobin",  # leastconn would try the dead, who have no connections, again and again
        "  option redispatch 1",
        "  retries 7",
        "  retry-on conn-failure empty-response",
        "  timeout connect 1s",
        "  timeout server 60s",
        "  timeout queue 5s",
        "  timeout tunnel 1h",
        *(f"  {line}" for line in rules.patience()),
        *(f"  {rules.failure_page(status, door, 'app-down.html')}" for status in (502, 503, 504)),
    )
    text = "\n".join(defaults) + "\n"
    return text + "".join(_backend(f"r{n}", door.slots, taken.get(f"r{n}", ())) for n in range(1, door.routes + 1))


def _backend(name: str, slots: int, servers: Sequence[tuple[str, int]]) -> str:
    """Slots are numbered from 1; a free one waits in maintenance."""
    lines = [f"  server s{n} {address} weight {weight}\n" for n, (address, weight) in enumerate(servers, 1)]
    free = range(len(servers) + 1, slots + 1)
    return f"backend {name} from apps\n" + "".join(lines) + "".join(f"  server s{n} 127.0.0.1:1 disabled\n" for n in free)
