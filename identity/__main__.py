"""Runs identity; `key` prints a fresh signing key, `token NAME…` the subsystems' tokens as JSON (both for the bootstrapper)."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta

from backbone.backbone import Backbone
from backbone.clock import SystemClock
from backbone.settings import Settings
from backbone.tokens import Claims, SigningKey, new_key, sign
from identity.subsystem import build

DAYS = 3650


def tokens(settings: Settings, names: list[str]) -> dict[str, str]:
    """Subsystem -> its token, signed by BERTH_SIGNING_KEY for BERTH_INSTALLATION."""
    clock, pem = SystemClock(), settings.secret("BERTH_SIGNING_KEY")
    installation = settings.text("BERTH_INSTALLATION", "berth")
    settings.check()
    key, expires = SigningKey(pem.reveal()), clock.now() + timedelta(days=DAYS)
    claims = {name: Claims(name, "subsystem", clock.new_id(), expires) for name in names}
    return {name: sign(claim, key, installation, clock.now()) for name, claim in claims.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="identity", description=__doc__)
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("key", help="print a new private key as PEM")
    verbs.add_parser("token", help="print tokens for subsystems").add_argument("names", nargs="+")
    given = parser.parse_args()
    if given.verb == "key":
        print(new_key(), end="")
    elif given.verb == "token":
        print(json.dumps(tokens(Settings.from_environment(), given.names)))
    else:
        build(Backbone.from_environment("identity")).run()


if __name__ == "__main__":
    main()
