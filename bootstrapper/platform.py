"""The declared platform: which backing services and subsystems there are, and what each is given."""

from __future__ import annotations

from bootstrapper.backing.azurite.backing import BACKING as AZURITE
from bootstrapper.backing.haproxy.backing import BACKING as HAPROXY
from bootstrapper.backing.kafka.backing import BACKING as KAFKA
from bootstrapper.backing.postgres.backing import BACKING as POSTGRES
from bootstrapper.backing.registry.backing import BACKING as REGISTRY
from bootstrapper.backing.slapd.backing import BACKING as SLAPD
from bootstrapper.declared import Backing, Subsystem

BACKINGS: tuple[Backing, ...] = (KAFKA, POSTGRES, AZURITE, SLAPD, REGISTRY, HAPROXY)

SUBSYSTEMS: tuple[Subsystem, ...] = (
    Subsystem("identity", memory=160, needs=("kafka", "documents", "directory", "signing")),
    Subsystem("app_controller", memory=256, needs=("kafka", "documents", "blobs", "scratch")),
    Subsystem("deployer", memory=384, needs=("kafka", "documents", "blobs", "scratch", "builds", "docker")),
    Subsystem("node_manager", "api", memory=192, needs=("kafka", "documents", "tables")),
    Subsystem("node_manager", "agent", memory=160, needs=("kafka", "docker", "host"), everywhere=True, alias="agent"),
    Subsystem("sensor_manager", "api", memory=192, needs=("kafka", "documents", "tables")),
    Subsystem("sensor_manager", "intake", memory=256, needs=("kafka", "documents")),
    Subsystem("sensor_manager", "storage", memory=256, needs=("kafka", "documents", "tables")),
    Subsystem("sensor_manager", "streams", memory=256, needs=("kafka", "documents", "tables")),
    Subsystem("monitor", memory=192, needs=("kafka", "documents", "blobs", "directory", "registry"), replicas=2),
    Subsystem("logger", memory=256, needs=("kafka", "documents", "tables"), settings=("BERTH_LINES_DAYS", "BERTH_LINES_BYTES")),
    Subsystem("gateway", memory=160, needs=("kafka", "documents", "door"), uid=HAPROXY.uid),
    Subsystem("platform_ui", memory=192, needs=("kafka", "documents", "scratch"), reads=("package-lock.json",)),
)

PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("admin", "admin", "Administrator"),
    ("ada", "admin", "Ada"),
    ("otto", "operator", "Otto"),
    ("dora", "developer", "Dora"),
    ("ugo", "user,ws-dora", "Ugo"),
    ("uma", "user", "Uma"),
)
"""Username, groups (the role's first; `ws-<name>` is a workspace's), name."""

# folders of the repository that go into the platform's image, where they exist
CODE: tuple[str, ...] = (
    "contracts", "backbone", "identity", "app_controller", "deployer", "node_manager", "sensor_manager",
    "monitor", "logger", "gateway", "platform_ui", "sdk", "cli", "examples",
)  # fmt: skip
