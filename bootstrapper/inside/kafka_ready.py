"""Kafka's topics, one user for each subsystem, and what that user may do; then an acknowledged record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka import KafkaProducer  # type: ignore[import-untyped]
from kafka.admin import (  # type: ignore[import-untyped]
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

Facts = Mapping[str, Any]


def prepare(facts: Facts) -> None:
    how: dict[str, Any] = {"bootstrap_servers": facts["url"].split(","), "bootstrap_timeout_ms": 3000}
    if facts["user"]:
        how |= {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": facts["user"],
            "sasl_plain_password": facts["password"],
        }
    admin = KafkaAdminClient(**how)
    try:
        topics(admin, facts)
        users(admin, facts["users"])
        admin.list_group_offsets(
            "berth-ready"
        )  # makes Kafka's own topic of offsets: else the very first group waits 3 s
    finally:
        admin.close()
    producer = KafkaProducer(acks="all", **how)
    try:
        producer.send(facts["probe"], b"ready").get(timeout=5)
    finally:
        producer.close()


def topics(admin: KafkaAdminClient, facts: Facts) -> None:
    """Those that are missing; of one that is there the partitions never change."""
    there = set(admin.list_topics())
    missing = {
        t["name"]: {"num_partitions": t["partitions"], "replication_factor": facts["replicas"], "configs": t["configs"]}
        for t in facts["topics"]
        if t["name"] not in there
    }
    if missing:
        admin.create_topics(missing)


def users(admin: KafkaAdminClient, wanted: Mapping[str, Mapping[str, str]]) -> None:
    there = {name for name, found in admin.describe_user_scram_credentials().items() if not found["error"]}
    missing = {user: facts for user, facts in wanted.items() if user not in there}
    if wanted:
        admin.create_acls(
            [acl for user, facts in wanted.items() for group in facts["groups"] for acl in rights(user, group)]
        )
    if not missing:
        return
    how = ScramMechanism.SCRAM_SHA_512
    said = admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion(user, how, facts["password"], iterations=4096) for user, facts in missing.items()]
    )
    if wrong := {user: error for user, error in said.items() if error}:
        raise ConnectionError(f"Kafka refused users: {wrong}")


def rights(user: str, group: str) -> list[ACL]:
    """A subsystem reads and writes topics and keeps groups that begin with its name; it makes and removes nothing."""
    wishes = [
        (
            ResourceType.TOPIC,
            "*",
            ACLResourcePatternType.LITERAL,
            (ACLOperation.READ, ACLOperation.WRITE, ACLOperation.DESCRIBE),
        ),
        (ResourceType.GROUP, group, ACLResourcePatternType.PREFIXED, (ACLOperation.ALL,)),
        (ResourceType.TRANSACTIONAL_ID, group, ACLResourcePatternType.PREFIXED, (ACLOperation.ALL,)),
    ]
    return [
        ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name, pattern))
        for kind, name, pattern, operations in wishes
        for operation in operations
    ]
