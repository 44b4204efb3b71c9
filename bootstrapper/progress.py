"""Shows how `up` goes on: a live table on a terminal, plain lines elsewhere; says at the end what failed and what mends it."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bootstrapper.graph import Outcome


class Progress:
    """`told` is called by the graph from many threads, at each step's start (None) and end."""

    def __init__(self, quiet: bool = False, out: Console | None = None) -> None:
        self.console = out or Console(file=sys.stderr, highlight=False)
        self.quiet = quiet
        self._running: dict[str, float] = {}
        self._live: Live | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        if self.console.is_terminal and not self.quiet:
            self._live = Live(get_renderable=self._table, console=self.console, refresh_per_second=8, transient=True)
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.__exit__(kind, error, trace)

    def say(self, text: str) -> None:
        if not self.quiet:
            self.console.print(text, markup=False)

    def told(self, name: str, outcome: Outcome | None) -> None:
        with self._lock:
            if outcome is None:
                self._running[name] = self.console.get_time()
                return
            self._running.pop(name, None)
        mark = "FAILED " if outcome.error else ""
        if outcome.error or outcome.seconds >= 0.3:
            self.say(f"{outcome.started + outcome.seconds:6.1f} s  {mark}{name} ({outcome.seconds:.1f} s)")

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        now = self.console.get_time()
        with self._lock:
            for name, since in self._running.items():
                # as Text, not as markup: a line that is said meanwhile turns markup off for all that is printed with it
                table.add_row(Text("○", "blue"), name, Text(f"{now - since:.1f} s", "dim"))
        return table
