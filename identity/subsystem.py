"""Logs in, refreshes, ends sessions; issues and revokes tokens; publishes the key they are checked with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from backbone.backbone import Backbone
from backbone.claims import Claims
from backbone.clock import text_of
from backbone.directory import Person
from backbone.logs import get_log
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from backbone.tokens import SigningKey, new_secret, secret_digest, sign
from contracts.errors import Forbidden, NotFound, Refused
from contracts.messages import KeyPublished, TokenRevoked
from identity.attempts import Attempts
from identity.model import ACCESS, ISSUERS, SESSION, Access, Session, meaning_of, roles_of, teams_of
from identity.store import Store

log = get_log()


@dataclass(frozen=True)
class Tokens:
    """What a login or a refresh gives; `claims` are the access token's."""

    access: str
    refresh: str
    claims: Claims


class Identity:
    def __init__(self, backbone: Backbone, store: Store, key: SigningKey) -> None:
        self._backbone, self._store, self._key = backbone, store, key
        self._clock, self._attempts = backbone.clock, Attempts(backbone.clock)
        self._meaning = meaning_of(backbone.settings.text("BERTH_ROLES", ""))

    def publish(self) -> None:
        """At each start: the topic keeps the newest of each key. Unavailable ends the start, and the next one tries again."""
        said = self._backbone.wrapper.wrap([KeyPublished(kid=self._key.kid, pem=self._key.public_pem)])
        self._backbone.bus.send([(s.topic, s.key, s.envelope) for s in said])
        log.info("key_published", kid=self._key.kid)

    def login(self, username: str, password: str) -> Tokens:
        """Refused, TooMany, Unavailable."""
        self._attempts.check(username)
        try:
            person = self._backbone.directory.login(username, password)
        except Refused as error:
            self._attempts.failed(username)
            log.info("login_refused", username=username)
            raise Refused("The username or the password is wrong.") from error
        self._attempts.passed(username)
        id, secret, now = self._clock.new_id(), new_secret(), self._clock.now()
        claims = self._claims(person, id)
        access = Access(jti=claims.jti, expires=claims.expires)
        session = Session(
            username=person.username,
            refresh=secret_digest(secret),
            access=(access,),
            created=now,
            expires=now + SESSION,
        )
        self._store.open(id, session)
        log.info("logged_in", username=person.username, session=id, roles=claims.roles)
        return Tokens(self._sign(claims), f"{id}.{secret}", claims)

    def refresh(self, token: str) -> Tokens:
        """A new pair for a refresh token, which counts no more. Refused: also ends the session where it is used twice."""
        id, _, given = token.partition(".")
        before = self._store.session(id)
        if before is None:
            raise Refused("The refresh token is not one of this installation; log in again.")
        person = self._backbone.directory.find(before.username)
        secret, now = new_secret(), self._clock.now()
        claims = self._claims(person, id) if person else None
        ended = ""

        def decide(session: Session) -> tuple[Session, list[TokenRevoked]]:
            nonlocal ended
            fresh = session.presented(secret_digest(given), now)
            ended = "" if fresh and claims else "reused" if not fresh else "gone from the directory"
            if ended or claims is None:
                return session.end(ended, now)
            access = Access(jti=claims.jti, expires=claims.expires)
            return session.next(secret_digest(secret), access, now), []

        self._store.change(id, decide)
        if ended or claims is None:
            log.warning("session_ended", session=id, username=before.username, reason=ended)
            raise Refused("The session was ended, since its refresh token was used twice or its person is gone; log in again.")
        return Tokens(self._sign(claims), f"{id}.{secret}", claims)

    def logout(self, claims: Claims) -> None:
        """Ends the session with all its tokens."""
        try:
            self._store.change(claims.session, lambda session: session.end("logged out", self._clock.now()))
        except NotFound:
            raise NotFound("This session is not there any more.") from None
        log.info("session_ended", session=claims.session, username=claims.subject, reason="logged out")

    def issue(self, by: Claims, wanted: Claims, seconds: int) -> tuple[str, Claims]:
        """A token for a device, consumer or app. Forbidden: not this subsystem's to ask for."""
        asker = by.subject.split(".")[0].replace("-", "_")
        if asker not in ISSUERS[wanted.purpose]:
            raise Forbidden(f"{by.subject} may not ask for a token for a {wanted.purpose}.")
        facts = {k: getattr(wanted, k) for k in ("purpose", "subject", "workspace", "generation", "name")}
        claims = Claims(**facts, jti=self._clock.new_id(), expires=self._clock.now() + timedelta(seconds=seconds))
        self._store.issued(claims.jti, {**facts, "by": by.subject}, text_of(claims.expires))
        log.info("token_issued", jti=claims.jti, purpose=claims.purpose, subject=claims.subject, by=by.subject)
        return self._sign(claims), claims

    def revoke(self, by: Claims, jti: str) -> None:
        self._store.revoke(jti)
        log.info("token_revoked", jti=jti, by=by.subject)

    def roles(self, person: Person) -> tuple[str, ...]:
        return roles_of(person.groups, self._meaning)

    def _claims(self, person: Person, session: str) -> Claims:
        own, teams = self._store.personal(person.username), teams_of(person.groups)
        for team in teams:
            self._store.team(team)
        return Claims(
            subject=person.username,
            purpose="user",
            jti=self._clock.new_id(),
            expires=self._clock.now() + ACCESS,
            roles=self.roles(person),
            workspaces={team: "member" for team in teams} | {own: "owner"},
            workspace=own,
            name=person.name,
            session=session,
        )

    def _sign(self, claims: Claims) -> str:
        return sign(claims, self._key, self._backbone.installation, self._clock.now())


def build(backbone: Backbone) -> Subsystem:
    from identity.api import api

    pem = backbone.settings.secret("BERTH_SIGNING_KEY")
    backbone.settings.check()
    store = Store(backbone)
    identity = Identity(backbone, store, SigningKey(pem.reveal()))
    return Subsystem(
        backbone,
        ticks=[Tick(600.0, store.forget)],
        api=api(backbone, identity, store),
        start=identity.publish,
    )
