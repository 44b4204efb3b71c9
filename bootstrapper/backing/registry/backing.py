"""docker-registry from Debian: images of the platform and of apps, TLS by the platform's CA and a password."""

from __future__ import annotations

from bootstrapper.declared import Backing

BACKING = Backing(
    name="registry",
    setting="REGISTRY_URL",
    uid=10005,
    memory=192,
    port=5000,
    files=("config.yml",),
    secrets={"htpasswd": "htpasswd", "tls.crt": "registry.crt", "tls.key": "registry.key"},
    published="always",
)
