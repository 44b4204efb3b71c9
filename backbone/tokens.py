"""Signs and checks ES256 tokens; the only file that knows JWT. Keys and revocations come from two compacted topics."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backbone.bus import Bus, Reader
from backbone.claims import Claims
from backbone.clock import Clock
from backbone.logs import get_log
from contracts.errors import Forbidden, Invalid, Refused, Unavailable
from contracts.message import Envelope
from contracts.messages import KeyPublished, TokenRevoked
from contracts.roles import PURPOSES
from contracts.topics import KEYS, REVOCATIONS

__all__ = ["Checker", "Claims", "SigningKey", "new_key", "new_secret", "secret_digest", "sign"]
log = get_log()
CACHED = 10_000
LISTENING = 10.0
"""Seconds that one question for news may take: what comes is heard at once."""
REQUIRED = ["iss", "aud", "sub", "jti", "iat", "exp"]


class SigningKey:
    """A P-256 private key; `kid` is the hash of its public half, so that the same key has the same name everywhere."""

    def __init__(self, pem: str) -> None:
        """`pem` is PKCS8 or SEC1 without a password. Invalid: it is not such a key."""
        try:
            key = serialization.load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError) as error:
            raise Invalid("The signing key is no PEM of a private key; `openssl ecparam -genkey -name prime256v1` makes one.") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise Invalid("The signing key is not on the curve P-256, which ES256 needs.")
        self.private = key
        public = key.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        self.public_pem = public.public_bytes(serialization.Encoding.PEM, form).decode()
        self.kid = hashlib.sha256(public.public_bytes(serialization.Encoding.DER, form)).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"


def new_key() -> str:
    """The PEM of a fresh private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def new_secret() -> str:
    """256 bits that nobody can guess, as URL-safe text."""
    return secrets.token_urlsafe(32)


def secret_digest(text: str) -> str:
    """How a secret is kept and compared: never as it is."""
    return hashlib.sha256(text.encode()).hexdigest()


def sign(claims: Claims, key: SigningKey, installation: str, now: datetime) -> str:
    """The compact JWT; it is valid for this installation alone."""
    body: dict[str, Any] = {
        "iss": installation,
        "aud": claims.purpose,
        "sub": claims.subject,
        "jti": claims.jti,
        "iat": int(now.timestamp()),
        "exp": int(claims.expires.timestamp()),
        "roles": list(claims.roles),
        "workspaces": dict(claims.workspaces),
        "workspace": claims.workspace,
        "generation": claims.generation,
        "name": claims.name,
        "sid": claims.session,
    }
    kept = {name: value for name, value in body.items() if value or name in REQUIRED}
    return jwt.encode(kept, key.private, algorithm="ES256", headers={"kid": key.kid})


class Checker:
    """Says whose token it is, or refuses it; safe to share between threads.

    `catch_up` gives it keys and revocations before serving. Then `follow` keeps it current on a thread of its own;
    without (in a memory world) each check first reads what is new.
    """

    def __init__(self, clock: Clock, installation: str, bus: Bus) -> None:
        self._clock, self._installation, self._bus = clock, installation, bus
        self._keys: dict[str, Any] = {}
        self._revoked: dict[str, datetime] = {}
        self._checked: OrderedDict[bytes, Claims] = OrderedDict()
        self._reader: Reader | None = None
        self._lock, self._caught_up = threading.Lock(), threading.Event()
        self._follower: threading.Thread | None = None

    def check(self, token: str, *purposes: str) -> Claims:
        """Refused: unknown, expired or revoked. Forbidden: good, but for none of these purposes (none given: any)."""
        self._refresh()
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._checked.get(digest) or self._verified(token)
        if not self.valid(claims):
            self._checked.pop(digest, None)
            raise Refused("The token has expired or was revoked; log in again.")
        self._checked[digest] = claims
        while len(self._checked) > CACHED:
            self._checked.popitem(last=False)
        if purposes and claims.purpose not in purposes:
            raise Forbidden(f"A token for a {claims.purpose} cannot do this; it needs one for: {', '.join(purposes)}.")
        return claims

    def valid(self, claims: Claims) -> bool:
        """Whether checked claims still count; what stays open asks again and again."""
        self._refresh()
        return claims.jti not in self._revoked and claims.expires > self._clock.now()

    def reasons(self) -> list[str]:
        """Why nothing can be checked yet."""
        return [] if self._keys else ["no signing key was heard of on the topic keys: is identity running?"]

    def catch_up(self) -> None:
        """Reads both topics to their end. Unavailable."""
        with self._lock:
            self._reader = self._reader or self._bus.reader(KEYS, REVOCATIONS)
            for envelope in self._reader.read_to_end():
                self._hear(envelope)
        self._caught_up.set()

    def follow(self) -> None:
        """Keeps current from now on, on a daemon thread."""
        if self._follower is None:
            self._follower = threading.Thread(target=self._follow, name="tokens", daemon=True)
            self._follower.start()

    def _follow(self) -> None:
        self._caught_up.wait()
        while True:
            try:
                self._poll(LISTENING)
            except Unavailable as error:
                log.warning("revocations_unheard", reason=error.detail)
                self._clock.sleep(0.5)

    def _refresh(self) -> None:
        if self._follower is None and self._caught_up.is_set():
            try:
                self._poll(0)
            except Unavailable as error:  # what is known counts on, as with a follower
                log.warning("revocations_unheard", reason=error.detail)

    def _poll(self, seconds: float) -> None:
        with self._lock:
            if self._reader is not None:
                for envelope in self._reader.poll(seconds):
                    self._hear(envelope)

    def _hear(self, envelope: Envelope) -> None:
        if envelope.name == KeyPublished.__name__:
            key = KeyPublished.model_validate(envelope.body)
            self._keys[key.kid] = serialization.load_pem_public_key(key.pem.encode())
        elif envelope.name == TokenRevoked.__name__:
            gone, now = TokenRevoked.model_validate(envelope.body), self._clock.now()
            if gone.expires > now:
                self._revoked[gone.jti] = gone.expires
            if len(self._revoked) % 1000 == 999:
                self._revoked = {jti: expires for jti, expires in self._revoked.items() if expires > now}

    def _verified(self, token: str) -> Claims:
        """Expiry is asked of our clock by the caller; everything else of the token is checked here."""
        options: Any = {"require": REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            body = jwt.decode(token, key, ["ES256"], options, audience=PURPOSES, issuer=self._installation)
            return claims_of(body)
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise Refused("The token is not one of this installation; log in again.") from error


def claims_of(body: Mapping[str, Any]) -> Claims:
    """ValueError, TypeError: a claim is not of its shape."""
    if not isinstance(body["aud"], str):
        raise ValueError("one purpose only")
    return Claims(
        subject=body["sub"],
        purpose=body["aud"],
        jti=body["jti"],
        expires=datetime.fromtimestamp(body["exp"], UTC),
        roles=tuple(body.get("roles", ())),
        workspaces=dict(body.get("workspaces", {})),
        workspace=body.get("workspace", ""),
        generation=int(body.get("generation", 0)),
        name=body.get("name", ""),
        session=body.get("sid", ""),
    )
