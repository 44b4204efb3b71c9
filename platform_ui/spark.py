"""Sparklines: at most 60 points as SVG from the server, own scale, no axes, always beside their number."""

from __future__ import annotations

from collections.abc import Sequence

from platform_ui.icons import Markup

POINTS = 60


def spark(values: Sequence[float | None]) -> Markup:
    """Nothing where there are fewer than two values. Gaps stay gaps."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return Markup("")
    some = list(values)[-POINTS:]
    low, high = min(known), max(known)
    wide = 100 / max(1, len(some) - 1)
    runs: list[list[str]] = [[]]
    for n, v in enumerate(some):
        if v is None:
            runs.append([])
            continue
        y = 14.0 if high == low else 25 - 22 * (v - low) / (high - low)
        runs[-1].append(f"{n * wide:.1f},{y:.1f}")
    drawn = [run for run in runs if len(run) > 1]
    fills = "".join(f"M{' '.join(run)} {run[-1].split(',')[0]},28 {run[0].split(',')[0]},28Z" for run in drawn)
    strokes = "".join(f"M{' '.join(run)}" for run in drawn)
    return Markup(
        f'<svg class="b-spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="fill" d="{fills}"/><path d="{strokes}"/></svg>'
    )
