"""A second Docker daemon with an empty data root, in its own network and mount namespace: how long `up` and `demo` take from nothing."""

from __future__ import annotations


def measure() -> dict[str, float]:
    raise NotImplementedError
