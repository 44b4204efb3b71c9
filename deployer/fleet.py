"""What a generation is in Swarm: its services, its secrets, its token. Every verb may be repeated after a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from backbone.backbone import Backbone
from backbone.containers import Containers, ServiceSpec, TaskSeen
from backbone.logs import get_log
from contracts.errors import NotFound, Unavailable
from contracts.messages.deployment import ServiceWish
from deployer.rollout import Generation, Rollout

log = get_log()
LINES = 20
SETTLED = timedelta(seconds=10)
"""An instance not in Swarm's list counts as lost only when its last news is older than this."""
TOKEN_SECONDS = 365 * 24 * 3600
NAME_MOST = 63
NO_DNS = ("127.0.0.1",)
"""An app that may reach the platform alone asks no resolver, not the node's either."""


class Fleet:
    def __init__(self, backbone: Backbone) -> None:
        self._containers: Containers = backbone.containers
        self._peers, self._installation = backbone.peers, backbone.installation
        settings = backbone.settings
        self._url = settings.text("BERTH_APP_API_URL", settings.text("BERTH_PUBLIC_URL", "https://localhost:8443"))
        self._ca = settings.text("BERTH_CA", "").encode()
        self._dns = tuple(a for a in settings.text("BERTH_APP_DNS", "").split(",") if a)
        self._constraints = tuple(c for c in settings.text("BERTH_APP_CONSTRAINTS", "").split(",") if c)
        settings.check()

    def place(self, r: Rollout, g: Generation, images: Mapping[str, str]) -> str:
        """Makes the services, from `images` where they name one; gives the id of the generation's token."""
        labels = self._labels(r, g.number)
        token_secret, ca_secret = f"{self._prefix(r)}-g{g.number}-token", self._ca_name()
        kept = self._containers.services.secrets(labels)
        jti = kept.get(token_secret, {}).get("berth.token", "")
        if token_secret not in kept:
            jti, token = self._token(r, g.number)
            self._containers.services.keep_secret(token_secret, token.encode(), {**labels, "berth.token": jti})
        secrets = {"berth_token": token_secret}
        if self._ca:
            self._containers.services.keep_secret(ca_secret, self._ca, {"berth.installation": self._installation})
            secrets["berth_ca.crt"] = ca_secret
        for wish in (w.model_copy(update={"image": images.get(w.service, w.image)}) for w in g.services):
            self._containers.services.make(self._spec(r, g, wish, secrets))
        return jti

    def clear(self, r: Rollout, g: Generation) -> None:
        labels = self._labels(r, g.number)
        for service in self._containers.services.services(labels):
            self._containers.services.remove(service.name)
        for secret in self._containers.services.secrets(labels):
            self._containers.services.remove_secret(secret)
        if g.token:
            self._revoke(g.token)

    def forget(self, r: Rollout) -> None:
        """Whatever still bears the deployment's label, of any generation."""
        labels = {"berth.installation": self._installation, "berth.deployment": r.deployment}
        for service in self._containers.services.services(labels):
            self._containers.services.remove(service.name)
        for secret in self._containers.services.secrets(labels):
            self._containers.services.remove_secret(secret)

    def tasks(self) -> list[TaskSeen]:
        return self._containers.services.tasks({"berth.installation": self._installation, "berth.deployment": ""})

    def old(self, now: datetime, moments: Sequence[datetime]) -> bool:
        return max(moments) + SETTLED < now

    def last_lines(self, r: Rollout, g: Generation) -> str:
        """What its instances printed last: the hint beside a failure. Nothing known is no second failure."""
        try:
            services = self._containers.services.services(self._labels(r, g.number))
            return "\n".join(line for s in services for line in self._containers.services.lines(s.name, LINES))
        except (NotFound, Unavailable) as error:
            log.warning("last_lines_unknown", deployment=r.deployment, reason=error.detail)
            return ""

    def _spec(self, r: Rollout, g: Generation, wish: ServiceWish, secrets: dict[str, str]) -> ServiceSpec:
        suffix = f"-g{g.number}"
        name = f"{self._prefix(r)}-{wish.service}"[: NAME_MOST - len(suffix)] + suffix
        labels = self._labels(r, g.number) | {
            "berth.service": wish.service, "berth.workspace": r.workspace, "berth.app": r.app, "berth.name": r.name,
            "berth.release": g.release, "berth.correlation": r.correlation, "berth.public": "1" if wish.public else "0",
            "berth.port": str(wish.port or ""), "berth.probe": wish.probe.model_dump_json(),
        }  # fmt: skip
        environment = {
            **wish.environment,
            "BERTH_URL": self._url, "BERTH_APP": r.app, "BERTH_DEPLOYMENT": r.deployment, "BERTH_DEPLOYMENT_NAME": r.name,
            "BERTH_WORKSPACE": r.workspace, "BERTH_GENERATION": str(g.number), "BERTH_SERVICE": wish.service,
            "BERTH_RELEASE": g.release, "BERTH_TOKEN_FILE": "/run/secrets/berth_token", "PORT": str(wish.port or ""),
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        if self._ca:
            environment["BERTH_CA_FILE"] = "/run/secrets/berth_ca.crt"
        return ServiceSpec(
            name=name, image=wish.image, labels=labels, instances=wish.instances,
            port=wish.port, environment=environment, secrets=secrets,
            networks=(f"{self._installation}-apps-{wish.policy}",), constraints=self._constraints,
            dns=NO_DNS if wish.policy == "platform" else self._dns,
            cpu=wish.cpu, memory=wish.memory, pids=wish.pids, reserve_cpu=wish.reserve_cpu,
            reserve_memory=wish.reserve_memory,
        )  # fmt: skip

    def _prefix(self, r: Rollout) -> str:
        return f"{self._installation}-d-{r.deployment.replace('-', '')[-12:]}"

    def _labels(self, r: Rollout, number: int) -> dict[str, str]:
        return {
            "berth.installation": self._installation, "berth.deployment": r.deployment, "berth.generation": str(number),
        }  # fmt: skip

    def _ca_name(self) -> str:
        return f"{self._installation}-app-ca-{hashlib.sha256(self._ca).hexdigest()[:8]}"

    def _token(self, r: Rollout, number: int) -> tuple[str, str]:
        """Asks identity for the generation's own token."""
        wish = {
            "purpose": "app", "subject": r.deployment, "workspace": r.workspace, "generation": number, "name": r.name,
            "seconds": TOKEN_SECONDS,
        }  # fmt: skip
        answer = self._peers.post("/tokens", json=wish)
        if answer.status != 201:
            raise Unavailable(f"identity gave no token for deployment {r.deployment}: {answer.status} {answer.json}")
        return str(answer.json["jti"]), str(answer.json["token"])

    def _revoke(self, jti: str) -> None:
        answer = self._peers.delete(f"/tokens/{jti}")
        if answer.status not in (204, 404):
            raise Unavailable(f"identity did not revoke the token {jti}: {answer.status}")
