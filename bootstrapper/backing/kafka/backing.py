"""Apache Kafka from Maven Central: one KRaft broker, SCRAM for every client."""

from __future__ import annotations

from bootstrapper.declared import Backing

BACKING = Backing(
    name="kafka",
    setting="KAFKA_URL",
    uid=10001,
    memory=768,
    port=9094,
    files=("start.sh", "server.properties"),
    prepared={"jars/libs": "libs"},
    secrets={
        "broker": "kafka-broker",
        "controller": "kafka-controller",
        "berth": "kafka-berth",
        "cluster": "kafka-cluster",
    },
    host_port_variable="BERTH_HOST_PORT",
)
