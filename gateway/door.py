"""What shapes HAProxy's configuration: frozen facts about one installation, and the table of who serves which noun."""

from __future__ import annotations

from dataclasses import dataclass

FOLDER = "/run/haproxy"
PUBLIC_TLS, PUBLIC_PLAIN, APPS_TLS, APPS_PLAIN, INTERNAL = 8443, 8080, 8444, 8081, 8090
PORT = 8000
"""Every subsystem's own HTTP port."""

SERVICES: dict[str, str] = {
    "identity": "identity",
    "app_controller": "app-controller",
    "deployer": "deployer",
    "node_manager": "node-manager-api",
    "sensor_manager": "sensor-manager-api",
    "intake": "sensor-manager-intake",
    "streams": "sensor-manager-streams",
    "monitor": "monitor",
    "platform_ui": "platform-ui",
}
"""HAProxy's backend -> the Swarm service, without the installation's prefix."""

NOUNS: dict[str, str] = {
    "session": "identity",
    "me": "identity",
    "workspaces": "identity",
    "tokens": "identity",
    "apps": "app_controller",
    "releases": "app_controller",
    "deployments": "app_controller",
    "builds": "deployer",
    "rollouts": "deployer",
    "nodes": "node_manager",
    "instances": "node_manager",
    "kinds": "sensor_manager",
    "places": "sensor_manager",
    "devices": "sensor_manager",
    "sensors": "sensor_manager",
    "bindings": "sensor_manager",
    "readings": "sensor_manager",
    "streams": "streams",
    "subsystems": "monitor",
    "incidents": "monitor",
}
"""First word after /api/v1/ -> backend. What devices send goes to intake, by method and path."""


@dataclass(frozen=True)
class Door:
    """`keys` is how many public keys stand beside the configuration; rates are per source address and ten seconds.

    `service_names` says otherwise where a backend's Swarm service is not `<installation>-<service>`.
    """

    installation: str = "berth"
    public_url: str = "https://localhost:8443"
    apps_url: str = "https://127.0.0.1:8444"
    folder: str = FOLDER
    keys: int = 1
    routes: int = 250
    slots: int = 8
    threads: int = 2
    upload_bytes: int = (1 << 30) + (1 << 20)
    body_bytes: int = 8 << 20
    login_rate: int = 100
    login_failures: int = 10
    resolver: str = "127.0.0.11:53"
    ports: tuple[int, int, int, int, int] = (PUBLIC_TLS, PUBLIC_PLAIN, APPS_TLS, APPS_PLAIN, INTERNAL)
    service_names: tuple[tuple[str, str], ...] = ()

    def service(self, backend: str) -> str:
        """host:port of a backend's replicas; the host is a name with one address per replica."""
        return dict(self.service_names).get(backend, f"{self.installation}-{SERVICES[backend]}:{PORT}")
