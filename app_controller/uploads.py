"""What stays open: an upload that is checked as soon as its last byte is there, and the news of a deployment."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, cast

from starlette.responses import Response
from starlette.routing import BaseRoute

from app_controller import plan
from app_controller.receiving import ManifestInvalid, read
from app_controller.shown import shown_deployment, shown_release
from app_controller.store import Store, release_doc
from backbone.backbone import Backbone
from backbone.clock import text_of
from backbone.http_problems import problem_of
from backbone.live import Call, Live, as_json, live_route
from backbone.live_events import Event, watch
from backbone.live_upload import Upload, received
from backbone.logs import get_log
from contracts.messages import ReleaseAccepted

log = get_log()
CONTAINER = "releases"


class Uploads:
    def __init__(self, backbone: Backbone, store: Store) -> None:
        self._backbone, self._store = backbone, store

    async def receive(self, call: Call) -> Response:
        """201 with the release, 200 where the same bytes are there already, 422 with every problem and the manifest's text."""
        call.claims.need(call.workspace, "write", "This workspace")
        async with received(call) as upload:
            try:
                release, new = await call.stored(self._keep, call, upload)
            except ManifestInvalid as error:
                log.info("upload_refused", problems=len(error.problems), reason=error.detail)
                return _with_manifest(error)
        return as_json(shown_release(release), 201 if new else 200)

    def _keep(self, call: Call, upload: Upload) -> tuple[dict[str, Any], bool]:
        b = self._backbone
        file = cast(BinaryIO, upload.file)
        manifest, text = read(file, self._kinds(call))
        file.seek(0)
        blob = f"{upload.digest}.zip"
        if not b.blobs.exists(CONTAINER, blob):
            b.blobs.put(CONTAINER, blob, file)
        facts: dict[str, Any] = {
            "id": b.clock.new_id(),
            "workspace": call.workspace,
            "app": manifest.name,
            "version": manifest.version,
            "digest": upload.digest,
            "size": upload.size,
            "created": text_of(b.clock.now()),
            "created_by": call.claims.subject,
            "manifest_text": text,
        }
        message = ReleaseAccepted(
            release=facts["id"],
            app=manifest.name,
            version_name=manifest.version,
            digest=upload.digest,
            blob=f"{CONTAINER}/{blob}",
            services=plan.builds(manifest),
        )
        kept = self._store.remember_release(release_doc(facts, manifest.model_dump(mode="json")), message)
        new = kept["id"] == facts["id"]
        log.info("release_accepted", release=kept["id"], app=manifest.name, version=manifest.version, bytes=upload.size, new=new)
        return kept, new

    def _kinds(self, call: Call) -> list[str]:
        """As the person sees them. Unavailable: then nothing is kept, for a kind could not be told from a mistake."""
        answer = self._backbone.peers.get(f"/kinds?workspace={call.workspace}", token=call.token).check()
        return [kind["name"] for kind in answer.json["items"]]

    async def news(self, call: Call) -> Response:
        """The deployment now, and again at each change."""
        id = call.path["deployment"]

        def look(last: str) -> list[Event]:
            d = self._store.deployment(id)
            call.claims.need(d.workspace, "read", f"Deployment {id}")
            seen = shown_deployment(d)
            mark = f"{d.wanted.generation}.{d.wanted.state}.{d.serving.generation}.{d.serving.health}.{d.serving.ready}"
            return [] if mark == last else [Event(seen, id=mark, name="deployment")]

        return await watch(call, look, every=0.2)


def routes(backbone: Backbone, store: Store, live: Live) -> list[BaseRoute]:
    uploads = Uploads(backbone, store)
    return [
        live_route("POST", "/api/v1/releases", uploads.receive, backbone, live),
        live_route("GET", "/api/v1/deployments/{deployment}/events", uploads.news, backbone, live),
    ]


def _with_manifest(error: ManifestInvalid) -> Response:
    status, headers, body = problem_of(error)
    return Response(json.dumps(json.loads(body) | {"manifest": error.text}), status, headers)
