"""Every message there is, by name. A new one is added here and gets an example file that a test decodes for ever."""

from __future__ import annotations

from contracts.message import Message
from contracts.messages.deployment import (
    BindSensors,
    DeploymentSeen,
    InstanceSeen,
    RouteSeen,
    RouteWanted,
    RunDeployment,
    SensorsBound,
    SensorsShort,
    StopDeployment,
    UnbindSensors,
)
from contracts.messages.incident import IncidentClosed, IncidentMoved, IncidentOpened
from contracts.messages.key import KeyPublished, TokenRevoked
from contracts.messages.node import NodeSeen
from contracts.messages.release import BuildFailed, BuildMoved, ImageBuilt, ReleaseAccepted
from contracts.messages.replica import Beat, ReplaceReplica, ReplicaEnded, ReplicaReplaced, ReplicaSpared

MESSAGES: tuple[type[Message], ...] = (
    ReleaseAccepted, BuildMoved, ImageBuilt, BuildFailed,
    BindSensors, SensorsBound, SensorsShort, UnbindSensors, RunDeployment, StopDeployment,
    InstanceSeen, RouteWanted, RouteSeen, DeploymentSeen,
    NodeSeen, Beat, ReplaceReplica, ReplicaReplaced, ReplicaSpared, ReplicaEnded,
    IncidentOpened, IncidentMoved, IncidentClosed, KeyPublished, TokenRevoked,
)  # fmt: skip
BY_NAME: dict[str, type[Message]] = {m.__name__: m for m in MESSAGES}

__all__ = [
    "BY_NAME",
    "MESSAGES",
    "Beat",
    "BindSensors",
    "BuildFailed",
    "BuildMoved",
    "DeploymentSeen",
    "ImageBuilt",
    "IncidentClosed",
    "IncidentMoved",
    "IncidentOpened",
    "InstanceSeen",
    "KeyPublished",
    "Message",
    "NodeSeen",
    "ReleaseAccepted",
    "ReplaceReplica",
    "ReplicaEnded",
    "ReplicaReplaced",
    "ReplicaSpared",
    "RouteSeen",
    "RouteWanted",
    "RunDeployment",
    "SensorsBound",
    "SensorsShort",
    "StopDeployment",
    "TokenRevoked",
    "UnbindSensors",
]
