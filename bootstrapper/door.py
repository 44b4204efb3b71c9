"""HAProxy's folder and container. The gateway's code says what the configuration is; here it is only put in place."""

from __future__ import annotations

import resource

from bootstrapper.backing.haproxy.backing import BACKING
from bootstrapper.containers import Container, Containers
from bootstrapper.files import digest, write
from bootstrapper.given import Where
from bootstrapper.prepared import ROOT
from bootstrapper.shell import Failed
from bootstrapper.vault import Vault
from bootstrapper.wiring import urls

FOLDER = "/run/haproxy"
NOFILE = 16384


def _words(where: Where) -> tuple[str, ...]:
    public, apps = urls(where)
    return (
        "python3", "-m", "gateway", "render", "--installation", where.installation.name,
        "--keys", "/run/secrets/signing.pub", "--tls", "/run/secrets/tls.crt", "/run/secrets/tls.key",
        "--folder", FOLDER, "--public-url", public, "--apps-url", apps,
    )  # fmt: skip


def render(containers: Containers, where: Where, vault: Vault, image: str) -> bool:
    """True where the configuration was written anew: its code, its keys or its addresses changed."""
    own = where.installation
    names = {"signing.pub": "signing.pub", "tls.crt": "haproxy.crt", "tls.key": "haproxy.key"}
    files = {to: vault.read(name) for to, name in names.items()}
    words = _words(where)
    key = digest(*words, *files.values(), ROOT / "gateway", ROOT / "contracts/roles.py")
    mark = own.home / "door.key"
    if mark.exists() and mark.read_text() == key and containers.engine.find(f"/volumes/{own.own('haproxy')}"):
        return False
    code, said = containers.finish(
        Container(
            name=own.own("render"),
            image=image,
            uid=BACKING.uid,
            memory=128,
            networks=(("none", ()),),
            binds={own.own("haproxy"): FOLDER},
            command=words,
            secrets=vault.give("render", BACKING.uid, files),
            restart=False,
        ),
        30,
    )
    if code:
        raise Failed(f"The gateway could not write HAProxy's configuration:\n{said}")
    write(mark, key)
    return True


def open_door(containers: Containers, where: Where, image: str, changed: bool) -> None:
    """HAProxy runs; one that ran already takes a changed configuration by a reload, so that no connection is cut."""
    own = where.installation
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    started = containers.run(
        Container(
            name=own.own("haproxy"),
            image=image,
            uid=BACKING.uid,
            memory=BACKING.memory,
            networks=((own.name, ("haproxy",)), (f"{own.name}0", ())),
            binds={own.own("haproxy"): FOLDER},
            ports={
                8443: ("0.0.0.0", own.port("https")),
                8444: ("0.0.0.0", own.port("apps")),
                8080: ("127.0.0.1", own.port("http")),
                8081: ("127.0.0.1", own.port("apps-http")),
            },
            nofile=NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard),
        )
    )
    if changed and not started:
        containers.engine.call("POST", f"/containers/{own.own('haproxy')}/kill", signal="USR2")
