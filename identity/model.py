"""Pure decisions: which roles and workspaces a person has, how a session lives, when a login must wait."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from contracts.errors import Refused
from contracts.messages import TokenRevoked
from contracts.roles import ROLES, by_team

ACCESS = timedelta(minutes=15)
SESSION = timedelta(days=7)
KEPT_DIGESTS = 1000
FAILURES, WINDOW = 5, 60.0
ISSUERS: Mapping[str, frozenset[str]] = {
    "device": frozenset({"sensor_manager"}),
    "consumer": frozenset({"sensor_manager"}),
    "app": frozenset({"app_controller", "deployer"}),
}


class Access(BaseModel):
    """An access token of a session that may still count."""

    model_config = ConfigDict(frozen=True)
    jti: str
    expires: datetime


class Session(BaseModel):
    """One login. `refresh` is the digest of the one refresh token that counts, `used` are those of its forerunners."""

    model_config = ConfigDict(frozen=True)
    username: str
    refresh: str
    used: tuple[str, ...] = ()
    access: tuple[Access, ...] = ()
    created: datetime
    expires: datetime
    ended: str = ""

    def next(self, refresh: str, access: Access, now: datetime) -> Session:
        """After a refresh: the old refresh token is used, access tokens that are over are forgotten."""
        return self.model_copy(
            update={
                "refresh": refresh,
                "used": (*self.used, self.refresh)[-KEPT_DIGESTS:],
                "access": (*(a for a in self.access if a.expires > now), access),
            }
        )

    def end(self, reason: str, now: datetime) -> tuple[Session, list[TokenRevoked]]:
        """Ended, and each access token that would still count is revoked."""
        revoked = [TokenRevoked(jti=a.jti, expires=a.expires) for a in self.access if a.expires > now]
        return self.model_copy(update={"ended": reason, "access": ()}), revoked

    def presented(self, digest: str, now: datetime) -> bool:
        """True: this refresh token may go on. False: it was used before, so someone has a copy. Refused: it never counted."""
        if self.ended or self.expires <= now:
            raise Refused("The session is over; log in again.")
        if digest == self.refresh:
            return True
        if digest in self.used:
            return False
        raise Refused("The refresh token is not one of this installation; log in again.")


def roles_of(groups: Iterable[str], meaning: Mapping[str, str]) -> tuple[str, ...]:
    """Whoever may log in is at least a user."""
    found = {meaning[group] for group in groups if group in meaning} | {"user"}
    return tuple(role for role in ROLES if role in found)


def meaning_of(setting: str) -> dict[str, str]:
    """`group=role,…`; empty: groups are called as the roles are. ValueError: a role that is none."""
    pairs = dict(p.strip().split("=", 1) for p in setting.split(",") if p.strip()) or {r: r for r in ROLES}
    if unknown := set(pairs.values()) - set(ROLES):
        raise ValueError(f"{', '.join(sorted(unknown))} is no role; there are {', '.join(ROLES)}")
    return pairs


def teams_of(groups: Iterable[str]) -> list[str]:
    """`ws-<name>` gives membership of the workspace <name>."""
    return [name for team in by_team(groups)[0] if (name := label(team))]


def label(text: str) -> str:
    """Lower case, digits and single hyphens, at most 40: fit for a path."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")


def personal_names(username: str) -> tuple[str, str]:
    """The workspace's name, and the one to take where somebody else has that."""
    mark = hashlib.sha256(username.encode()).hexdigest()[:6]
    name = label(username) or "person"
    return name, f"{name[:33]}-{mark}"


def wait(failures: Iterable[float], now: float) -> float:
    """Seconds until the next try: there may be five failures in a minute for one username."""
    recent = sorted(at for at in failures if at > now - WINDOW)
    return 0.0 if len(recent) < FAILURES else recent[-FAILURES] + WINDOW - now
