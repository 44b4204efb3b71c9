"""Figures as text: sizes, shares, and a line of small bars."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: float | None) -> str:
    """Bytes as people read them; nothing where they are not known."""
    if count is None:
        return ""
    unit = 0
    while count >= 1024 and unit < len(UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {UNITS[unit]}" if unit == 0 or count >= 100 else f"{count:.1f} {UNITS[unit]}"


def share(percent: float | None) -> str:
    return "" if percent is None else f"{percent:.1f} %"


def part(used: float | None, total: float | None) -> str:
    """`used of total`, and how much of it that is."""
    if used is None or not total:
        return size(used)
    return f"{size(used)} of {size(total)} ({100 * used / total:.0f} %)"


def spark(points: Sequence[tuple[float, float | None]], width: int = 40, top: float = 0.0) -> str:
    """(moment, value) in order of time as bars, the highest as high as `top` or the greatest value; a gap where nothing was seen."""
    if not points:
        return ""
    first, last = points[0][0], points[-1][0]
    columns = min(width, len(points))
    cells: list[list[float]] = [[] for _ in range(columns)]
    for moment, value in points:
        if value is not None:
            at = int((moment - first) / (last - first) * columns) if last > first else 0
            cells[min(columns - 1, at)].append(value)
    means = [sum(cell) / len(cell) if cell else None for cell in cells]
    highest = max(top, max((mean for mean in means if mean is not None), default=0.0))
    return "".join(" " if mean is None else _bar(mean, highest) for mean in means)


def _bar(value: float, highest: float) -> str:
    return BARS[min(len(BARS) - 1, int(value / highest * len(BARS)))] if highest > 0 and value > 0 else BARS[0]
