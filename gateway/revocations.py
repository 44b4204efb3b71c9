"""Tokens that count no more, read from the compacted topic's beginning; forgotten once they have ended anyway."""

from __future__ import annotations

from backbone.bus import Reader
from backbone.clock import Clock, text_of
from contracts.message import Envelope
from contracts.messages import TokenRevoked


class Revocations:
    """`now` is cheap and may be asked often; it reads what came since."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader, self._clock = reader, clock
        self._revoked: dict[str, str] = {}

    def catch_up(self) -> None:
        """To the topic's end, before anything is served. Unavailable."""
        self._take(self._reader.read_to_end())

    def now(self) -> dict[str, str]:
        """jti -> the token's end. Unavailable."""
        self._take(self._reader.poll(0))
        now = text_of(self._clock.now())
        self._revoked = {jti: end for jti, end in self._revoked.items() if end > now}
        return self._revoked

    def _take(self, envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            if envelope.name == TokenRevoked.__name__:
                token = TokenRevoked.model_validate(envelope.body)
                self._revoked[token.jti] = text_of(token.expires)
