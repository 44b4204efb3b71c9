"""slapd from Debian: people and groups, LDAPS only, seeded at its first start."""

from __future__ import annotations

from bootstrapper.declared import Backing

BACKING = Backing(
    name="slapd",
    setting="LDAP_URL",
    uid=10004,
    memory=128,
    port=1636,
    files=("start.sh", "slapd.conf"),
    secrets={
        "admin": "slapd-admin",
        "reader": "slapd-reader",
        "people": "people",
        "ca.crt": "ca.crt",
        "tls.crt": "slapd.crt",
        "tls.key": "slapd.key",
    },
)
