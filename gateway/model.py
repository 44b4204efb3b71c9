"""A route: what link is wanted, which instances there are, and what the front door was last seen to serve. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.messages import InstanceSeen, RouteSeen, RouteWanted
from contracts.states import InstanceState
from gateway.front_door import Server, checked

Route = dict[str, Any]
"""path, generation, weights {generation: weight}, instances {id: {generation, address, state}}, gone [ids], seen."""

REMEMBERED = 32
HEAVIEST = 256


def owners(routes: Iterable[Route]) -> dict[str, str]:
    """Path -> the deployment (its `id`) whose link it is: the newest that wants it, for a name may be given again."""
    found: dict[str, str] = {}
    for route in routes:
        if route["weights"]:
            found[route["path"]] = max(route["id"], found.get(route["path"], ""))
    return found


def empty() -> Route:
    return {"path": "", "generation": 0, "weights": {}, "instances": {}, "gone": [], "seen": None}


def wanted(route: Route, wish: RouteWanted) -> Route | None:
    """None where a newer wish is known. The same wish again is said to be seen again."""
    if wish.generation < route["generation"]:
        return None
    weights = {str(generation): weight for generation, weight in sorted(wish.weights.items())}
    return route | {"path": checked(wish.path), "generation": wish.generation, "weights": weights, "seen": None}


def noticed(route: Route, news: InstanceSeen) -> Route | None:
    """None where nothing changes. What is gone stays gone, also when older news comes again."""
    if news.instance in route["gone"]:
        return None
    instances = dict(route["instances"])
    if news.state >= InstanceState.GONE:
        instances.pop(news.instance, None)
        return route | {"instances": instances, "gone": [*route["gone"], news.instance][-REMEMBERED:]}
    instances[news.instance] = {"generation": news.generation, "address": news.address, "state": int(news.state)}
    return None if instances == route["instances"] else route | {"instances": instances}


def servers(route: Route) -> list[Server]:
    """Healthy instances of the wanted generations; a generation's weight is shared by its instances."""
    shares: dict[str, float] = {}
    for generation, weight in route["weights"].items():
        addresses = _healthy(route, generation)
        shares |= {address: weight / len(addresses) for address in addresses if weight > 0}
    most = max(shares.values(), default=1.0)
    return sorted(Server(address, max(1, round(HEAVIEST * share / most))) for address, share in shares.items())


def seen(route: Route, deployment: str, serving: Iterable[Server], apps_url: str) -> RouteSeen:
    """What the front door has, counted by generation; each wanted one is named, with 0 where it has none."""
    addresses = {s.address for s in serving}
    counts = {int(g): sum(a in addresses for a in _healthy(route, g)) for g in route["weights"]}
    return RouteSeen(
        deployment=deployment,
        generation=route["generation"],
        path=route["path"],
        link=apps_url.rstrip("/") + route["path"] if counts else "",
        servers=counts,
    )


def facts(news: RouteSeen) -> dict[str, Any]:
    """What of a RouteSeen is compared, as a document keeps it."""
    return {"generation": news.generation, "servers": {str(g): n for g, n in sorted(news.servers.items())}}


def _healthy(route: Route, generation: str) -> list[str]:
    return sorted(
        i["address"]
        for i in route["instances"].values()
        if str(i["generation"]) == generation and i["state"] == InstanceState.HEALTHY and i["address"]
    )
