"""`python -m cli`, which the launcher `berth` runs: the verbs, and errors as sentences instead of tracebacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cli import compiler, follow, show
from cli.failure import Failure
from cli.verbs import app


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 1 failed, 2 used wrongly, 130 left by Ctrl-C."""
    try:
        return _run(arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on, as in `berth ps | head -1`
        return 1


def _run(arguments: Sequence[str]) -> int:
    try:
        app(list(arguments), prog_name="berth")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except Failure as failure:
        if "--json" in arguments:
            show.json(failure.problem)
        else:
            compiler.show(failure)
            follow.tell(failure)
        return failure.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
