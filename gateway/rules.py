"""The lines that several frontends share: trace, path, token, size, answers as problem+json."""

from __future__ import annotations

import json

from contracts.roles import ROUTES
from gateway.door import OTHERWISE, Door

TRACEPARENT = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
API = "{ path_beg /api/ }"
LONG = ("{ req.hdr(accept) -m sub text/event-stream }", "{ path_end /events }")


def problem(status: int, title: str, detail: str, condition: str = "", headers: str = "") -> str:
    """A line that answers by RFC 9457; the correlation is the request's trace."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "correlation": "%[var(txn.trace)]",
    }
    line = f"http-request return status {status} content-type application/problem+json {headers}lf-string '{json.dumps(body)}'"
    return f"{line} {condition}".rstrip()


def trace(door: Door) -> list[str]:
    """Every request has a W3C trace from here on; a malformed one is replaced."""
    span = "00-%[var(txn.trace)]-%[uuid(4),regsub(-,,g),bytes(0,16)]-01"
    return [
        f"http-request set-var(txn.trace) req.hdr(traceparent),field(2,-) if {{ req.hdr(traceparent) -m reg {TRACEPARENT} }}",
        "http-request set-var(txn.trace) uuid(4),regsub(-,,g) unless { var(txn.trace) -m found }",
        "http-request set-var(txn.path) path",
        f"http-request set-header traceparent {span} unless {{ req.hdr(traceparent) -m reg {TRACEPARENT} }}",
    ]


def path(merge: bool) -> list[str]:
    """One spelling per path, so that no rule can be walked around; apps may want their double slashes."""
    return [
        "http-request normalize-uri percent-decode-unreserved strict",
        *(["http-request normalize-uri path-merge-slashes"] if merge else []),
        "http-request normalize-uri path-strip-dot",
        "http-request normalize-uri path-strip-dotdot full",
    ]


def forwarded(door: Door) -> list[str]:
    """Who asked, as seen here and nowhere before."""
    return [
        "http-request set-header X-Forwarded-For %[src]",
        "http-request set-header X-Forwarded-Host %[req.hdr(host)]",
        "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
        "http-request set-header X-Forwarded-Proto http unless { ssl_fc }",
    ]


def patience() -> list[str]:
    """Event streams may be silent for long, plain answers may not."""
    return [f"http-request set-timeout server 1h if {condition}" for condition in LONG]


def retries() -> list[str]:
    return ["http-request disable-l7-retry unless METH_GET"]


def sizes(door: Door) -> list[str]:
    """By the declared length; whoever streams counts for itself."""
    big = f"{{ req.hdr(content-length),add(0) -m int gt {door.body_bytes} }}"
    huge = f"{{ req.hdr(content-length),add(0) -m int gt {door.upload_bytes} }}"
    say = "The body is larger than the {} bytes that are taken here; send less at once."
    return [
        "acl is_upload path /api/v1/releases",
        problem(413, "Too large", say.format(door.upload_bytes), f"if {huge}"),
        problem(413, "Too large", say.format(door.body_bytes), f"if {API} {big} !is_upload or {big} is_upload !METH_POST"),
    ]


def logins(door: Door) -> list[str]:
    """Guessing passwords is slow: by failures, and by sheer number."""
    condition = "if is_login METH_POST"
    wait = "Too many logins from your address; wait ten seconds and try again."
    return [
        "acl is_login path /api/v1/session /login",
        f"http-request track-sc0 src table logins {condition}",
        problem(
            429,
            "Too many requests",
            wait,
            f"{condition} {{ sc0_http_req_rate gt {door.login_rate} }}",
            "hdr Retry-After 10 ",
        ),
        problem(
            429,
            "Too many requests",
            wait,
            f"{condition} {{ sc0_http_err_rate gt {door.login_failures} }}",
            "hdr Retry-After 10 ",
        ),
    ]


def tokens(door: Door) -> list[str]:
    """Signature (ES256 alone), end and revocation of every call but the two that make a session."""
    guarded = f"if {API} !is_open"
    no = ("Not signed in", "hdr WWW-Authenticate Bearer ")

    def refuse(detail: str, unless: str) -> str:
        return problem(401, no[0], detail, f"{guarded} {unless}", no[1])

    return [
        *(f"http-request set-var(txn.open) bool(true) if {{ path {r.pattern} }} {{ method {r.method} }}" for r in ROUTES if r.open),
        "acl is_open var(txn.open) -m bool",
        "acl is_es256 http_auth_bearer,jwt_header_query('$.alg') -m str ES256",
        *(f'acl is_sound http_auth_bearer,jwt_verify("ES256","{door.folder}/key-{n}.pem") -m int 1' for n in range(door.keys)),
        refuse(
            "This call needs a token: log in, then send Authorization: Bearer <token>.",
            "!{ http_auth_bearer -m found }",
        ),
        refuse("The token is not one of this installation; log in again.", "!is_es256"),
        refuse("The token is not one of this installation; log in again.", "!is_sound"),
        f"http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int') {guarded}",
        f"http-request set-var(txn.jti) http_auth_bearer,jwt_payload_query('$.jti') {guarded}",
        f"http-request set-var(txn.sub) http_auth_bearer,jwt_payload_query('$.sub') {guarded}",
        f"http-request set-var(txn.now) date() {guarded}",
        refuse("The token has no end or id; log in again.", "!{ var(txn.jti) -m found }"),
        refuse("The token has ended; refresh it or log in again.", "!{ var(txn.exp),sub(txn.now) -m int gt 0 }"),
        refuse("The token was revoked; log in again.", f"{{ var(txn.jti),map_str({door.folder}/revoked.map) -m found }}"),
    ]


def nouns(door: Door) -> list[str]:
    """The noun after /api/v1/ chooses the subsystem, but for the few routes of another one."""
    documents = f"path,field(5,/),map_str({door.folder}/documents.map)"
    return [
        "http-request set-var(txn.noun) path,field(4,/) if { path_beg /api/v1/ }",
        f"http-request set-var(txn.be) var(txn.noun),map_str({door.folder}/nouns.map) if {{ path_beg /api/v1/ }}",
        *(f"http-request set-var(txn.be) str({r.owner}) if {{ path {r.pattern} }} {{ method {r.method} }}" for r in OTHERWISE),
        f"http-request set-var(txn.be) {documents} if {{ path_beg /api/v1/openapi/ }}",
        problem(404, "Not found", "There is no such path in the API; see /docs.", f"if {API} !{{ var(txn.be) -m found }}"),
    ]


def log_line(listener: str) -> str:
    """One JSON line per request: no query and no header, they may hold secrets."""
    facts = {
        "event": "request",
        "listener": listener,
        "time": "%[date,utime(%Y-%m-%dT%H:%M:%S)]Z",
        "correlation": "%[var(txn.trace)]",
        "method": "%HM",
        "path": "%[var(txn.path),json(utf8s)]",
        "actor": "%[var(txn.sub),json(utf8s)]",
        "source": "%ci",
        "backend": "%b",
        "server": "%s",
        "end": "%tsc",
    }
    numbers = {"status": "%ST", "bytes": "%B", "milliseconds": "%Ta"}
    text = json.dumps(facts)[:-1] + "".join(f', "{k}": {v}' for k, v in numbers.items()) + "}"
    return f"log-format '{text}'"


def failure(status: int, detail: str) -> str:
    """What HAProxy itself answers where no replica does."""
    body = {
        "type": "about:blank",
        "title": "Unavailable",
        "status": status,
        "detail": detail,
        "correlation": "%[var(txn.trace)]",
    }
    return f"http-error status {status} content-type application/problem+json lf-string '{json.dumps(body)}'"


def failure_page(status: int, door: Door, name: str) -> str:
    return f'http-error status {status} content-type "text/html; charset=utf-8" lf-file {door.folder}/{name} hdr Cache-Control no-store'
