"""The gateway's loop: compares what links are wanted with what HAProxy has, and closes the gap; nothing is remembered twice."""

from __future__ import annotations

from backbone.backbone import Backbone
from backbone.logs import get_log
from backbone.loop import Tick
from backbone.subsystem import Subsystem
from contracts.errors import Unavailable
from contracts.messages import InstanceSeen, RouteWanted
from contracts.topics import REVOCATIONS
from gateway import model
from gateway.door import FOLDER, Door
from gateway.front_door import FrontDoor, Server, Table
from gateway.haproxy import HAProxy
from gateway.model import Route
from gateway.revocations import Revocations
from gateway.store import ROUTES, Routes

log = get_log()
SLOTS = 8


class Gateway:
    """`dirty` are deployments whose route may differ from HAProxy's."""

    def __init__(self, routes: Routes, door: FrontDoor, revocations: Revocations, apps_url: str, slots: int = SLOTS) -> None:
        self._routes, self._door, self._revocations = routes, door, revocations
        self._apps_url, self._slots = apps_url, slots
        self._dirty: set[str] = set()
        self._away = "HAProxy was not asked yet"

    def route_wanted(self, wish: RouteWanted) -> None:
        self._routes.want(wish)
        self._soon(wish.deployment)

    def instance_seen(self, news: InstanceSeen) -> None:
        if news.public and self._routes.notice(news):
            self._soon(news.deployment)

    def reconcile(self) -> None:
        """All routes against what HAProxy really has; links that nobody wants go."""
        with_path = {d: r for d, r in self._routes.all().items() if r["path"]}
        try:
            has = self._door.table()
            stray = has.keys() - {r["path"] for r in with_path.values() if r["weights"]}
            for path in sorted(stray):
                self._door.drop(path)
                log.info("route_dropped", path=path)
        except Unavailable as error:
            return self._lost(error)
        owners = model.owners({"id": deployment, **route} for deployment, route in with_path.items())
        for deployment, route in with_path.items():
            self._attend(deployment, route, has, owners.get(route["path"], ""))

    def tend(self) -> None:
        """What was not possible before, what has drained, what was revoked."""
        for deployment in sorted(self._dirty):
            if route := self._routes.get(deployment):
                self._attend(deployment, route)
        try:
            self._door.tend()
            self._door.revoke(self._revocations.now())
            self._away = ""
        except Unavailable as error:
            self._lost(error)

    def ready(self) -> list[str]:
        return [self._away] if self._away else []

    def _soon(self, deployment: str) -> None:
        self._dirty.add(deployment)
        if route := self._routes.get(deployment):
            self._attend(deployment, route)

    def _attend(self, deployment: str, route: Route, has: Table | None = None, owner: str | None = None) -> None:
        """One route: HAProxy made so where it is not, then asked, then said."""
        if not route["path"]:
            return self._dirty.discard(deployment)
        try:
            owner = self._routes.owner(route["path"]) if owner is None else owner
            serving = self._served(deployment, route, self._door.table() if has is None else has, owner)
        except Unavailable as error:
            self._dirty.add(deployment)
            return self._lost(error)
        self._dirty.discard(deployment)
        news = model.seen(route, deployment, serving, self._apps_url)
        if model.facts(news) != route["seen"]:
            self._routes.say(news)

    def _served(self, deployment: str, route: Route, has: Table, owner: str) -> tuple[Server, ...]:
        """Nothing, where the path is another's by now."""
        path = route["path"]
        if owner not in ("", deployment):
            return ()
        return self._made(path, route) if self._differs(route, has) else has.get(path, ())

    def _differs(self, route: Route, has: Table) -> bool:
        if not route["weights"]:
            return route["path"] in has
        return list(has.get(route["path"], (None,))) != model.servers(route)[: self._slots]

    def _made(self, path: str, route: Route) -> tuple[Server, ...]:
        """What HAProxy serves after it was told."""
        wanted = model.servers(route)
        if len(wanted) > self._slots:
            log.warning("route_full", path=path, instances=len(wanted), slots=self._slots)
        if route["weights"]:
            self._door.put(path, wanted)
        else:
            self._door.drop(path)
        log.info("route_changed", path=path, servers=[s.address for s in wanted[: self._slots]])
        return self._door.table().get(path, ())

    def _lost(self, error: Unavailable) -> None:
        if self._away != error.detail:
            log.warning("front_door_away", reason=error.detail)
        self._away = error.detail


def build(backbone: Backbone, door: FrontDoor | None = None) -> Subsystem:
    """`door` is given by tests; else HAProxy's folder and socket are those of the settings."""
    settings = backbone.settings
    facts = Door(
        installation=backbone.installation,
        folder=settings.text("BERTH_HAPROXY", FOLDER),
        routes=int(settings.number("BERTH_ROUTES", 250)),
        slots=int(settings.number("BERTH_SLOTS", SLOTS)),
    )
    revocations = Revocations(backbone.bus.reader(REVOCATIONS), backbone.clock)
    routes = Routes(backbone.kept(ROUTES))
    apps_url = settings.text("BERTH_APPS_URL", facts.apps_url)
    gateway = Gateway(routes, door or HAProxy(facts), revocations, apps_url, facts.slots)
    return Subsystem(
        backbone=backbone,
        handlers={RouteWanted: gateway.route_wanted, InstanceSeen: gateway.instance_seen},
        ticks=(Tick(0.5, gateway.tend), Tick(5.0, gateway.reconcile)),
        start=revocations.catch_up,
        ready=gateway.ready,
        checks_tokens=False,
    )
