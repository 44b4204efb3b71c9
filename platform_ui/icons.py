"""Icons are put inline: no font, no request, coloured by the text around them. Read once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

__all__ = ["Markup", "escape", "icon"]
HERE = Path(__file__).parent / "static" / "vendor" / "icons"


@cache
def icon(name: str) -> Markup:
    """The drawing of Tabler's icon `name`; a name that no template uses is not there."""
    drawing = re.sub(r'<path stroke="none"[^>]*>', "", (HERE / f"{name}.svg").read_text())
    inner = "".join(re.findall(r"<(?:path|circle|rect|line)[^>]*/>", drawing))
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true">{inner}</svg>'
    )
