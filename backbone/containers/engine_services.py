"""The services of apps in Swarm: made whole at once, never updated, removed by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker  # type: ignore[import-untyped]  # its stubs lag behind it
from docker import types as T

from backbone.containers import ServiceSeen, ServiceSpec, TaskSeen
from backbone.containers.engine_connection import BROKEN, USER, Connection, by_labels, told
from contracts.errors import Invalid, Unavailable
from contracts.lines import LOG_FILES

SECOND = 10**9
LOG_TIMEOUT = 1.5
TMP_BYTES = 64 << 20


class EngineServices:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def make(self, spec: ServiceSpec) -> None:
        with told(f"making service {spec.name}"):
            try:
                self._c.api.create_service(
                    self._template(spec), name=spec.name, labels=dict(spec.labels), mode=T.ServiceMode("replicated", spec.instances),
                    endpoint_spec=self._endpoint(spec),
                )  # fmt: skip
            except docker.errors.NotFound as error:
                raise Invalid(f"Docker lacks what service {spec.name} needs: {error.explanation}") from error
            except docker.errors.APIError as error:
                if error.response is None or error.response.status_code != 409:
                    raise

    def services(self, labels: Mapping[str, str]) -> list[ServiceSeen]:
        with told("listing services"):
            found = self._c.api.services(filters=by_labels(labels))
        return [_service(f) for f in found]

    def remove(self, name: str) -> None:
        with told(f"removing service {name}"):
            try:
                self._c.api.remove_service(name)
            except docker.errors.NotFound:
                pass

    def tasks(self, labels: Mapping[str, str]) -> list[TaskSeen]:
        with told("listing tasks"):
            services = {s["ID"]: _service(s) for s in self._c.api.services(filters=by_labels(labels))}
            tasks = self._c.api.tasks(filters={"service": list(services)}) if services else []
        return [_task(t, services[t["ServiceID"]]) for t in tasks if t["ServiceID"] in services]

    def lines(self, name: str, most: int) -> list[str]:
        """Where nothing is kept of the dead ones, the next words are waited for a moment."""
        return (self._lines(name, most, False) or self._lines(name, most, True))[-most:]

    def _lines(self, name: str, most: int, follow: bool) -> list[str]:
        client, raw = self._c.client(LOG_TIMEOUT), b""
        try:
            for part in client.service_logs(name, stdout=True, stderr=True, tail=most, is_tty=False, follow=follow):
                raw += part
                if follow and raw.count(b"\n") >= most:
                    break
        except docker.errors.NotFound:
            return []
        except docker.errors.APIError as error:
            raise Unavailable(f"the log of {name}: {error}") from error
        except BROKEN:
            pass  # the silence that ends a log which Docker keeps open
        finally:
            client.close()
        return raw.decode("utf-8", "replace").splitlines()

    def keep_secret(self, name: str, value: bytes, labels: Mapping[str, str]) -> None:
        with told(f"keeping secret {name}"):
            try:
                self._c.api.create_secret(name, value, dict(labels))
            except docker.errors.APIError as error:
                if error.response is None or error.response.status_code != 409:
                    raise

    def secrets(self, labels: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        with told("listing secrets"):
            found = self._c.api.secrets(filters=by_labels(labels))
        return {f["Spec"]["Name"]: f["Spec"].get("Labels") or {} for f in found}

    def remove_secret(self, name: str) -> None:
        with told(f"removing secret {name}"):
            try:
                self._c.api.remove_secret(name)
            except docker.errors.NotFound:
                pass

    def _template(self, spec: ServiceSpec) -> Any:
        container = T.ContainerSpec(
            spec.image, command=list(spec.command) or None, env=dict(spec.environment), user=USER, labels=dict(spec.labels),
            mounts=[T.Mount("/tmp", None, type="tmpfs", tmpfs_size=TMP_BYTES, tmpfs_mode=0o1777)], stop_grace_period=10 * SECOND,
            secrets=self._secrets(spec), read_only=True, cap_drop=["ALL"], init=True, healthcheck=T.Healthcheck(test=["NONE"]),
            dns_config=T.DNSConfig(nameservers=list(spec.dns)) if spec.dns else None,
        )  # fmt: skip
        resources = T.Resources(
            cpu_limit=int(spec.cpu * SECOND), mem_limit=spec.memory, cpu_reservation=int(spec.reserve_cpu * SECOND),
            mem_reservation=spec.reserve_memory,
        )  # fmt: skip
        resources["Limits"]["Pids"] = spec.pids
        return T.TaskTemplate(
            container, resources=resources, restart_policy=T.RestartPolicy("any", delay=0, max_attempts=0),
            placement=T.Placement(constraints=list(spec.constraints)), log_driver=T.DriverConfig("json-file", LOG_FILES),
            networks=list(spec.networks),
        )  # fmt: skip

    def _endpoint(self, spec: ServiceSpec) -> Any:
        ports = [{"Protocol": "tcp", "TargetPort": spec.port, "PublishMode": "host"}] if spec.port else None
        return T.EndpointSpec(mode="dnsrr", ports=ports)

    def _secrets(self, spec: ServiceSpec) -> list[Any]:
        found = self._c.api.secrets(filters={"name": list(spec.secrets.values())}) if spec.secrets else []
        ids = {s["Spec"]["Name"]: s["ID"] for s in found}
        if missing := [name for name in spec.secrets.values() if name not in ids]:
            raise Invalid(f"There is no secret {missing[0]}.")
        uid = USER.partition(":")[0]
        return [T.SecretReference(ids[n], n, filename=file, uid=uid, gid=uid, mode=0o400) for file, n in spec.secrets.items()]


def _service(raw: Any) -> ServiceSeen:
    spec = raw["Spec"]
    return ServiceSeen(spec["Name"], spec["TaskTemplate"]["ContainerSpec"]["Image"], spec.get("Labels") or {})


def _task(raw: Any, service: ServiceSeen) -> TaskSeen:
    status = raw.get("Status", {})
    container = status.get("ContainerStatus") or {}
    reason = status.get("Err", "")
    if not reason and container.get("ExitCode"):
        reason = f"exit code {container['ExitCode']}"
    wanted = raw.get("DesiredState", "running")
    state = wanted if wanted in ("shutdown", "remove") else status.get("State", "new")  # on a dead node it says "running" for ever
    return TaskSeen(
        raw["ID"], service.name, raw.get("NodeID", ""), container.get("ContainerID", ""), state, reason, service.labels
    )
