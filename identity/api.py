"""The HTTP routes of sessions, people, workspaces and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field, field_serializer

from backbone import http
from backbone.backbone import Backbone
from backbone.claims import Claims
from backbone.clock import text_of
from backbone.http import Blueprint, caller
from identity.model import ACCESS
from identity.store import Store
from identity.subsystem import Identity, Tokens

YEAR = 365 * 24 * 3600


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Login(Body):
    username: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1000, repr=False)


class Refresh(Body):
    refresh_token: str = Field(min_length=1, max_length=200, repr=False)


class NewToken(Body):
    """`seconds` is how long it counts; `generation` is the deployment's, for an app's."""

    purpose: Literal["device", "consumer", "app"]
    subject: str = Field(min_length=1, max_length=200)
    workspace: str = Field(min_length=1, max_length=40)
    generation: int = Field(0, ge=0)
    name: str = Field("", max_length=200)
    seconds: int = Field(YEAR, ge=1, le=10 * YEAR)


class TokenPath(Body):
    jti: str = Field(min_length=1, max_length=100)


class Membership(BaseModel):
    name: str
    role: str


class User(BaseModel):
    username: str
    name: str
    roles: tuple[str, ...]
    workspaces: list[Membership]
    workspace: str


class SessionShown(BaseModel):
    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int
    user: User


class TokenShown(BaseModel):
    token: str
    jti: str
    expires: datetime

    @field_serializer("expires")
    def _time(self, moment: datetime) -> str:
        return text_of(moment)


class WorkspaceShown(BaseModel):
    """`role` is the caller's: owner, member or guest; empty where an administrator is neither."""

    name: str
    role: str
    kind: str
    owner: str


class Workspaces(BaseModel):
    items: list[WorkspaceShown]
    next: str = ""


class PersonShown(BaseModel):
    username: str
    name: str
    mail: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]


class People(BaseModel):
    items: list[PersonShown]
    next: str = ""


def user_of(claims: Claims) -> User:
    """The personal workspace first."""
    own = claims.workspace
    others = sorted(claims.workspaces.items(), key=lambda pair: (pair[0] != own, pair[0]))
    memberships = [Membership(name=name, role=role) for name, role in others]
    return User(username=claims.subject, name=claims.name, roles=claims.roles, workspaces=memberships, workspace=own)


def shown(tokens: Tokens) -> SessionShown:
    return SessionShown(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        expires_in=int(ACCESS.total_seconds()),
        user=user_of(tokens.claims),
    )


def api(backbone: Backbone, identity: Identity, store: Store) -> OpenAPI:
    routes = Blueprint("identity", __name__)

    @routes.post("/session", responses={201: SessionShown})
    def log_in(body: Login) -> tuple[SessionShown, int]:
        """Log in with the directory's username and password."""
        return shown(identity.login(body.username, body.password)), 201

    @routes.post("/session/refresh", responses={201: SessionShown})
    def refresh(body: Refresh) -> tuple[SessionShown, int]:
        """A new pair of tokens; a refresh token counts once, and a second use ends the session."""
        return shown(identity.refresh(body.refresh_token)), 201

    @routes.delete("/session", responses={204: None})
    def log_out() -> None:
        """End this session and all its tokens."""
        identity.logout(caller())

    @routes.get("/me", responses={200: User})
    def me() -> User:
        """Who the token says you are."""
        return user_of(caller())

    @routes.get("/workspaces", responses={200: Workspaces})
    def workspaces() -> Workspaces:
        """Your workspaces; for administrators and operators all of them."""
        claims = caller()
        found = store.workspaces(claims.readable)
        return Workspaces(
            items=[
                WorkspaceShown(name=w["id"], role=claims.workspaces.get(w["id"], ""), kind=w["kind"], owner=w.get("owner", ""))
                for w in found
            ]
        )

    @routes.get("/people", responses={200: People})
    def people() -> People:
        """Everybody in the directory, with the roles their groups give them."""
        return People(
            items=[
                PersonShown(username=p.username, name=p.name, mail=p.mail, roles=identity.roles(p), groups=p.groups)
                for p in backbone.directory.people()
            ]
        )

    @routes.post("/tokens", responses={201: TokenShown})
    def issue(body: NewToken) -> tuple[TokenShown, int]:
        """A token for a device, consumer or app; the owner of its record asks for it."""
        wanted = Claims(
            body.subject, body.purpose, "", backbone.clock.now(),
            workspace=body.workspace, generation=body.generation, name=body.name,
        )  # fmt: skip
        token, claims = identity.issue(caller(), wanted, body.seconds)
        return TokenShown(token=token, jti=claims.jti, expires=claims.expires), 201

    @routes.delete("/tokens/<jti>", responses={204: None})
    def revoke(path: TokenPath) -> None:
        """The token is refused everywhere within a second."""
        identity.revoke(caller(), path.jti)

    return http.api("identity", [routes], backbone)
