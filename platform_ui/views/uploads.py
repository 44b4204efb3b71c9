"""Where a zip is dropped, and what was wrong with one, beside its lines."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from contracts.manifest import FILE
from platform_ui import lines, sample
from platform_ui.views.common import need, page, person, site, working_in

pages = Blueprint("uploads", __name__)
KEPT = "What was found in this upload (it is kept for a day)"


@pages.get("/upload")
def ask() -> Any:
    return page("upload.html", "apps", workspace=working_in(), may=person().may("write", working_in()))


@pages.get("/upload/berth.yml")
def example() -> Response:
    return _file(sample.annotated())


@pages.get("/uploads/<finding>")
def problems(finding: str) -> Any:
    facts = need(site().store.finding(person().session, finding), KEPT)
    text = facts.get("manifest") or ""
    found = lines.findings(facts["problems"], text)
    beside, apart = [f for f in found if f.line], [f for f in found if not f.line]
    return page(
        "problems.html", "apps", id=finding, upload=facts, found=found, beside=beside, apart=apart,
        lines=lines.lines(text, found), whole=bool(lines.corrected_text(text, found)),
        text=lines.as_text(found, FILE if text else facts["file"]),
    )  # fmt: skip


@pages.get("/uploads/<finding>/berth.yml")
def corrected(finding: str) -> Response:
    """Every suggestion taken."""
    facts = need(site().store.finding(person().session, finding), KEPT)
    text = facts.get("manifest") or ""
    return _file(need(lines.corrected_text(text, lines.findings(facts["problems"], text)) or None, "A corrected berth.yml"))


def _file(text: str) -> Response:
    return Response(text, content_type="application/yaml; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{FILE}"'})
