"""HAProxy 2.6 from Debian: the front door; its folder /run/haproxy is a volume it shares with the gateway."""

from __future__ import annotations

from bootstrapper.declared import Backing

BACKING = Backing(name="haproxy", setting="", uid=10006, memory=256, port=0, published="never")
