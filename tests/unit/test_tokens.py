"""Only whole, current, unrevoked tokens of this installation and of a published key pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from backbone.backbone import Backbone
from backbone.claims import Claims
from backbone.memory import MemoryPlatform
from backbone.tokens import SigningKey, new_key, new_secret, secret_digest, sign
from contracts.errors import Forbidden, Invalid, NotFound, Refused
from tests.support.tokens import KEY, claims_for, platform_with_key, publish, revoke, token_for


@pytest.fixture
def backbone() -> Backbone:
    return platform_with_key()[1]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def body(backbone: Backbone, **changes: Any) -> dict[str, Any]:
    now = int(backbone.clock.now().timestamp())
    claims = {"iss": "memory", "aud": "user", "sub": "ada", "jti": "j", "iat": now, "exp": now + 60} | changes
    return {k: v for k, v in claims.items() if v is not ...}


def by_hand(claims: dict[str, Any], key: SigningKey = KEY, **header: Any) -> str:
    """A token whose signature is good, whatever it says."""
    head = {"alg": "ES256", "typ": "JWT", "kid": key.kid} | header
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.private.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_what_was_signed_comes_back(backbone: Backbone) -> None:
    claims = claims_for(backbone, roles=("admin", "user"), workspaces={"ada": "owner"}, workspace="ada", name="Ada", session="s1")
    assert backbone.tokens.check(sign(claims, KEY, "memory", backbone.clock.now())) == claims
    app = claims_for(backbone, "app", "dep1", workspace="ada", generation=7)
    assert backbone.tokens.check(sign(app, KEY, "memory", backbone.clock.now()), "app") == app


def test_a_good_one_by_hand_passes(backbone: Backbone) -> None:
    assert backbone.tokens.check(by_hand(body(backbone))).subject == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": ...}, {"exp": 1}, {"exp": "soon"}, {"exp": 1e30}, {"jti": ...}, {"sub": ...}, {"sub": 7}, {"iat": ...}, {"aud": ...},
        {"aud": "root"}, {"aud": ["user", "subsystem"]}, {"iss": ...}, {"iss": "other"}, {"roles": 5}, {"workspaces": "all"},
    ],
)  # fmt: skip
def test_claims_that_break_the_rules(backbone: Backbone, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        backbone.tokens.check(by_hand(body(backbone, **changes)))


def test_forged_tokens(backbone: Backbone) -> None:
    good = by_hand(body(backbone))
    head, claims, signature = good.split(".")
    more = b64(json.dumps(body(backbone, roles=["admin"])).encode())
    public = b64(json.dumps({"alg": "HS256", "kid": KEY.kid}).encode()) + "." + claims
    hs256 = public + "." + b64(hmac.new(KEY.public_pem.encode(), public.encode(), hashlib.sha256).digest())
    none = b64(json.dumps({"alg": "none", "kid": KEY.kid}).encode()) + "." + claims + "."
    stranger = SigningKey(new_key())
    for token in (
        f"{head}.{more}.{signature}", f"{head}.{claims}.{b64(bytes(64))}", f"{head}.{claims}.", f"{head}.{claims}", hs256, none,
        by_hand(body(backbone), stranger), by_hand(body(backbone), stranger, kid=KEY.kid), by_hand(body(backbone), kid=None),
        by_hand(body(backbone), alg="ES384"), "", "a", "a.b.c", "é.è.ê", good + " ", "." * 9, "null.null.null",
    ):  # fmt: skip
        with pytest.raises(Refused):
            backbone.tokens.check(token)


def test_its_purpose_is_asked_for(backbone: Backbone) -> None:
    token = token_for(backbone, "device", workspace="ada")
    assert backbone.tokens.check(token).purpose == backbone.tokens.check(token, "app", "device").purpose == "device"
    with pytest.raises(Forbidden, match="needs one for: user"):
        backbone.tokens.check(token, "user")


def test_time_passes(backbone: Backbone) -> None:
    token = token_for(backbone, seconds=60)
    claims = backbone.tokens.check(token)
    backbone.clock.sleep(61)
    assert not backbone.tokens.valid(claims)
    with pytest.raises(Refused, match="expired"):
        backbone.tokens.check(token)


def test_revoked_is_refused_though_it_was_seen_before(backbone: Backbone) -> None:
    token, other = token_for(backbone, jti="j1"), token_for(backbone, jti="j2")
    claims = backbone.tokens.check(token)
    revoke(backbone, "j1")
    assert not backbone.tokens.valid(claims)
    with pytest.raises(Refused, match="revoked"):
        backbone.tokens.check(token)
    assert backbone.tokens.check(other)


def test_a_late_checker_reads_what_was_said_before(backbone: Backbone) -> None:
    platform, _ = platform_with_key()
    first = platform.backbone("first")
    token, gone = token_for(first), token_for(first, jti="gone")
    revoke(first, "gone")
    late = platform.backbone("late").tokens
    assert late.reasons()
    late.catch_up()
    assert late.check(token) and not late.reasons()
    with pytest.raises(Refused):
        late.check(gone)


def test_no_key_no_token() -> None:
    backbone = MemoryPlatform().backbone("probe")
    backbone.tokens.catch_up()
    token = token_for(backbone)
    with pytest.raises(Refused):
        backbone.tokens.check(token)
    publish(backbone)
    assert backbone.tokens.check(token)


def test_a_second_key_beside_the_first(backbone: Backbone) -> None:
    key = SigningKey(new_key())
    from contracts.messages import KeyPublished

    said = backbone.wrapper.wrap([KeyPublished(kid=key.kid, pem=key.public_pem)])
    backbone.bus.send([(s.topic, s.key, s.envelope) for s in said])
    assert backbone.tokens.check(by_hand(body(backbone), key)) and backbone.tokens.check(by_hand(body(backbone)))


def test_following_on_a_thread() -> None:
    """With the memory bus and the real clock: a revocation is heard without anybody asking."""
    _, backbone = platform_with_key()
    token = token_for(backbone, jti="j1")
    backbone.tokens.follow()
    claims = backbone.tokens.check(token)
    revoke(backbone, "j1")
    heard = threading.Event()
    for _ in range(500):
        if not backbone.tokens.valid(claims):
            heard.set()
            break
        heard.wait(0.01)
    assert heard.is_set()


def test_keys_are_checked_and_hide() -> None:
    assert SigningKey(KEY_PEM).kid == SigningKey(KEY_PEM).kid and "PRIVATE" not in repr(SigningKey(KEY_PEM))
    for pem in ("", "no pem", KEY.public_pem):
        with pytest.raises(Invalid):
            SigningKey(pem)


KEY_PEM = new_key()


def test_secrets() -> None:
    assert len({new_secret() for _ in range(100)}) == 100 and len(secret_digest("x")) == 64


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ({"roles": ("developer",), "workspaces": {"w": "owner"}}, "read write own"),
        ({"roles": ("developer",), "workspaces": {"w": "member"}}, "read write"),
        ({"roles": ("developer",), "workspaces": {"w": "guest"}}, "read"),
        ({"roles": ("developer",), "workspaces": {"other": "owner"}}, ""),
        ({"roles": ("operator",)}, "read"),
        ({"roles": ("admin",)}, "read write own"),
        ({"purpose": "app", "workspace": "w"}, "read write"),
        ({"purpose": "device", "workspace": "other"}, ""),
        ({"purpose": "device"}, ""),
        ({"purpose": "subsystem"}, "read write own"),
    ],
)
def test_who_may_what_in_a_workspace(backbone: Backbone, who: dict[str, Any], may: str) -> None:
    claims = claims_for(backbone, **who)
    assert [level for level in ("read", "write", "own") if claims.may("w", level)] == may.split()


def test_what_one_may_not_know_of_is_not_there(backbone: Backbone) -> None:
    guest: Claims = claims_for(backbone, workspaces={"w": "guest"})
    guest.need("w", "read")
    with pytest.raises(Forbidden):
        guest.need("w", "write", "Deployment d")
    with pytest.raises(NotFound):
        guest.need("other", "read", "Deployment d")
    with pytest.raises(NotFound):
        guest.need("other", "write", "Deployment d")


def test_what_a_list_shows(backbone: Backbone) -> None:
    assert claims_for(backbone, workspaces={"b": "guest", "a": "owner"}).readable == ["a", "b"]
    assert claims_for(backbone, roles=("operator",)).readable is None
    assert claims_for(backbone, "app", workspace="w").readable == ["w"]


def test_a_long_life_is_signed(backbone: Backbone) -> None:
    claims = claims_for(backbone, "device", seconds=timedelta(days=3650).total_seconds())
    assert backbone.tokens.check(sign(claims, KEY, "memory", backbone.clock.now())) == claims
