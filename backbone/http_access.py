"""The door of every request, Flask's and live: the route's line in the table, the token, the workspace, the origin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from backbone.backbone import Backbone
from backbone.claims import Claims
from backbone.clock import new_trace
from contracts.errors import Forbidden, Refused
from contracts.roles import Route

SAFE = ("GET", "HEAD", "OPTIONS")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class Asked:
    """What of a request decides whether it may pass."""

    method: str
    host: str
    origin: str
    authorization: str
    workspace: str


def correlation_of(traceparent: str) -> str:
    """The W3C trace id, or a new one where there is none or it breaks the format."""
    found = _TRACE.fullmatch(traceparent)
    return found[1] if found and found[1] != "0" * 32 else new_trace()


def bearer(authorization: str) -> str:
    """The token of an Authorization header. Refused: there is none."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(
            "This needs a token: send `Authorization: Bearer …`; `berth login` or POST /api/v1/session gives one."
        )
    return token.strip()


def admit(backbone: Backbone, route: Route | None, asked: Asked) -> Claims | None:
    """Whose request it is; None where the route asks for no token. Refused 401, Forbidden 403."""
    if route is None:
        raise Forbidden("Nobody may call this: it has no line in the table of routes and roles.")
    _same_origin(backbone, asked)
    if route.open:
        return None
    claims = backbone.tokens.check(bearer(asked.authorization))
    if not route.admits(claims.purpose, claims.roles):
        raise Forbidden(_why(route, claims))
    if route.workspace and asked.workspace and not claims.may(asked.workspace, route.workspace):
        raise Forbidden(
            f"You may not {_verb(route.workspace)} in workspace {asked.workspace}; GET /api/v1/workspaces lists yours."
        )
    return claims


def _same_origin(backbone: Backbone, asked: Asked) -> None:
    """A browser names the page that writes: only pages of this very host or of the platform's own address may."""
    if asked.method in SAFE or not asked.origin:
        return
    public = backbone.settings.text("BERTH_PUBLIC_URL", "")
    if urlsplit(asked.origin).netloc not in {asked.host, urlsplit(public).netloc} - {""}:
        raise Forbidden(f"A page of {asked.origin} may not write here.")


def _why(route: Route, claims: Claims) -> str:
    if claims.purpose not in route.purposes:
        return f"A token for a {claims.purpose} cannot do this; it needs one for: {', '.join(sorted(route.purposes))}."
    return (
        f"This needs {'one of the roles' if len(route.roles) > 1 else 'the role'} {', '.join(sorted(route.roles))}; "
        f"you have {', '.join(claims.roles) or 'none'}."
    )


def _verb(level: str) -> str:
    return {"read": "read", "write": "change things", "own": "do what only its owner may"}[level]
