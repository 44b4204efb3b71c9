"""The bootstrapper's verbs without the rest of the command line: `python -m bootstrapper up`."""

from __future__ import annotations

import argparse
import sys

from bootstrapper import commands


def main() -> int:
    parser = argparse.ArgumentParser(prog="bootstrapper")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up")
    up.add_argument("--name", default="berth")
    up.add_argument("--port", type=int)
    up.add_argument("--quiet", action="store_true")
    up.add_argument("--expose", action=argparse.BooleanOptionalAction, default=None)
    asked = parser.parse_args()
    return commands.up(asked.name, asked.port, asked.quiet, asked.expose)


if __name__ == "__main__":
    sys.exit(main())
