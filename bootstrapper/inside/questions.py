"""One question for each backing service; it makes what is missing and raises while the service does not answer."""

from __future__ import annotations

import base64
import ssl
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Facts = Mapping[str, Any]


def kafka(facts: Facts, secrets: Path) -> None:
    from bootstrapper.inside.kafka_ready import prepare

    prepare(facts)


def postgres(facts: Facts, secrets: Path) -> None:
    from bootstrapper.inside.postgres_ready import prepare

    prepare(facts)


def azurite(facts: Facts, secrets: Path) -> None:
    """A blob is written and read back; each subsystem's container is there."""
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient.from_connection_string(facts["url"], retry_total=0, connection_timeout=2)
    for name in facts["containers"]:
        try:
            service.create_container(name)
        except ResourceExistsError:
            pass
    blob = service.get_blob_client(facts["containers"][0], "ready")
    text = uuid.uuid4().bytes
    blob.upload_blob(text, overwrite=True)
    if blob.download_blob().readall() != text:
        raise ConnectionError("the blob read back is not the one written")


def slapd(facts: Facts, secrets: Path) -> None:
    """The reader binds over verified TLS and finds somebody."""
    import ldap3  # type: ignore[import-untyped]

    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(secrets / "ca.crt"))
    server = ldap3.Server(facts["url"], tls=tls, connect_timeout=2)
    with ldap3.Connection(server, facts["bind"], facts["password"], auto_bind=True) as connection:
        connection.search(facts["people"], "(uid=*)", attributes=["uid"], size_limit=1)
        if not connection.entries:
            raise ConnectionError("the directory holds no people")


def registry(facts: Facts, secrets: Path) -> None:
    """An authenticated, verified answer."""
    login = base64.b64encode(f"{facts['user']}:{facts['password']}".encode()).decode()
    request = urllib.request.Request(f"https://{facts['url']}/v2/", headers={"Authorization": f"Basic {login}"})
    context = ssl.create_default_context(cafile=str(secrets / "ca.crt"))
    with urllib.request.urlopen(request, context=context, timeout=3) as answer:
        if answer.status != 200:
            raise ConnectionError(f"the registry answered {answer.status}")


QUESTIONS: Mapping[str, Callable[[Facts, Path], None]] = {
    "kafka": kafka,
    "postgres": postgres,
    "azurite": azurite,
    "slapd": slapd,
    "registry": registry,
}
