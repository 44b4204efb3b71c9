"""Azurite from npm: Azure Blob Storage on one machine."""

from __future__ import annotations

from bootstrapper.declared import Backing

BACKING = Backing(
    name="azurite",
    setting="BLOB_URL",
    uid=10003,
    memory=384,
    port=10000,
    files=("start.sh",),
    prepared={"azurite/azurite": "azurite"},
    secrets={"azurite": "azurite"},
)
