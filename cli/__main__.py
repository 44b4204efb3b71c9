"""`python -m cli`, which the launcher `berth` runs: the verbs, and errors as sentences instead of tracebacks."""

from __future__ import annotations

import sys

from cli.verbs import app


def main() -> None:
    app(prog_name="berth")


if __name__ == "__main__":
    sys.exit(main())
