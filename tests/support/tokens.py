"""Tokens for tests: a key that is published on the twins' bus, and a token for anybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backbone.backbone import Backbone
from backbone.memory import MemoryPlatform
from backbone.tokens import Claims, SigningKey, new_key, sign
from contracts.messages import KeyPublished, TokenRevoked

KEY = SigningKey(new_key())


def publish(backbone: Backbone) -> None:
    _say(backbone, KeyPublished(kid=KEY.kid, pem=KEY.public_pem))


def revoke(backbone: Backbone, jti: str, seconds: float = 3600) -> None:
    _say(backbone, TokenRevoked(jti=jti, expires=backbone.clock.now() + timedelta(seconds=seconds)))


def _say(backbone: Backbone, message: Any) -> None:
    backbone.bus.send([(s.topic, s.key, s.envelope) for s in backbone.wrapper.wrap([message])])


def claims_for(backbone: Backbone, purpose: str = "user", subject: str = "ada", **facts: Any) -> Claims:
    expires = backbone.clock.now() + timedelta(seconds=facts.pop("seconds", 900))
    return Claims(subject, purpose, facts.pop("jti", backbone.clock.new_id()), expires, **facts)


def token_for(backbone: Backbone, purpose: str = "user", subject: str = "ada", **facts: Any) -> str:
    """`facts` are claims; roles and workspaces are none unless given."""
    return sign(claims_for(backbone, purpose, subject, **facts), KEY, backbone.installation, backbone.clock.now())


def platform_with_key() -> tuple[MemoryPlatform, Backbone]:
    platform = MemoryPlatform()
    backbone = platform.backbone("probe")
    publish(backbone)
    backbone.tokens.catch_up()
    return platform, backbone


def subsystem_token(name: str, pem: str, installation: str, now: datetime) -> str:
    """As `up` signs it."""
    claims = Claims(name, "subsystem", f"token-of-{name}", now + timedelta(days=3650))
    return sign(claims, SigningKey(pem), installation, now)
