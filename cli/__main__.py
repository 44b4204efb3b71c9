"""`python -m cli`, which the launcher `berth` runs: the verbs, and errors as sentences instead of tracebacks."""

from __future__ import annotations

import sys

from cli import compiler, follow, show
from cli.failure import Failure
from cli.verbs import app


def main() -> None:
    try:
        app(prog_name="berth")
    except Failure as failure:
        if "--json" in sys.argv:
            show.json(failure.problem)
        else:
            compiler.show(failure)
            follow.tell(failure)
        sys.exit(failure.code)
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads on, as in `berth ps | head -1`
        sys.exit(1)


if __name__ == "__main__":
    main()
