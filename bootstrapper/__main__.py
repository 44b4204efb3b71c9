"""The bootstrapper's verbs without the rest of the command line: `python -m bootstrapper up`."""

from __future__ import annotations

import argparse
import sys

from bootstrapper import commands


def main() -> int:
    parser = argparse.ArgumentParser(prog="bootstrapper")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("up", "down", "status", "doctor", "logins"):
        verb = verbs.add_parser(name)
        verb.add_argument("--name", default="berth")
        verb.add_argument("--json", action="store_true")
        if name == "up":
            verb.add_argument("--port", type=int)
            verb.add_argument("--quiet", action="store_true")
            verb.add_argument("--expose", action=argparse.BooleanOptionalAction, default=None)
        if name == "down":
            verb.add_argument("--purge", action="store_true")
    asked = parser.parse_args()
    match asked.verb:
        case "up":
            return commands.up(asked.name, asked.port, asked.quiet, asked.expose, asked.json)
        case "down":
            return commands.down(asked.name, asked.purge)
        case "status":
            return commands.status(asked.name, asked.json)
        case "doctor":
            return commands.doctor(asked.name, asked.json)
    return commands.logins(asked.name, asked.json)


if __name__ == "__main__":
    sys.exit(main())
