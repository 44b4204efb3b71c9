"""An upload passes through as it comes, with the person's own token; what was wrong with it is kept for its page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response

from backbone.context import current
from backbone.live import as_json
from platform_ui.asking import address
from platform_ui.model import plural
from platform_ui.session_live import Visit

TOO_LARGE = "The zip is larger than what is taken; leave out what the app does not need to run."


async def send(visit: Visit) -> Response:
    """{href, said, state}: the release's page, or that of the problems; other errors as they were told."""
    request = visit.request
    workspace = request.query_params.get("workspace") or visit.person.workspace or visit.person.own
    more = {"content-type": "application/zip"}
    if "content-length" in request.headers:
        more["content-length"] = request.headers["content-length"]
    path = address("releases", workspace=workspace)
    async with visit.site.backbone.peers.stream("POST", path, await visit.token(), request.stream(), more) as opened:
        answer = await opened.whole()
    told = _json(answer.body)
    if answer.status in (200, 201):
        new = "Accepted as release" if answer.status == 201 else "The same bytes are release"
        said = f"{new} {told['version']} of {told['app']}"
        return as_json({"href": f"/releases/{told['id']}", "said": said, "state": "ok"}, answer.status)
    if answer.status != 422:
        detail = TOO_LARGE if answer.status == 413 else told.get("detail") or f"The upload was answered by {answer.status}."
        return as_json({"said": detail, "state": "bad", "correlation": told.get("correlation", "")}, answer.status)
    facts = {
        "file": unquote(request.headers.get("x-file-name", ""))[:200] or "app.zip",
        "size": int(request.headers.get("content-length") or 0),
        "workspace": workspace,
        "problems": told.get("errors", []),
        "detail": told.get("detail", ""),
        "manifest": told.get("manifest", ""),
        "correlation": told.get("correlation") or current().correlation,
    }
    id = await visit.live.stored(visit.site.store.keep_finding, visit.person.session, facts)
    where = "berth.yml" if facts["manifest"] else "the zip"
    said = f"{plural(len(facts['problems']), 'problem')} in {where}"
    return as_json({"href": f"/uploads/{id}", "said": said, "state": "bad"}, 422)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {}
