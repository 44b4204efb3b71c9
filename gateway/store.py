"""The routes of this installation: one document per deployment, which carries the RouteSeen it still has to say."""

from __future__ import annotations

from collections.abc import Callable

from backbone.documents import Declared
from backbone.kept import Kept
from contracts.errors import NotFound, Taken
from contracts.messages import InstanceSeen, RouteSeen, RouteWanted
from gateway import model
from gateway.model import Route

ROUTES = Declared("routes", {"path": str})
PAGE = 200


class Routes:
    """Keyed by deployment."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def want(self, wish: RouteWanted) -> None:
        self._change(wish.deployment, lambda route: model.wanted(route, wish))

    def notice(self, news: InstanceSeen) -> bool:
        """Whether that was new."""
        return self._change(news.deployment, lambda route: model.noticed(route, news))

    def say(self, news: RouteSeen) -> None:
        """Once for each difference, and only while the route is still wanted so."""

        def decide(route: Route) -> tuple[Route, list[RouteSeen]] | None:
            facts = model.facts(news)
            if route["seen"] == facts or route["generation"] != news.generation:
                return None
            return route | {"seen": facts}, [news]

        self._kept.change(news.deployment, decide)

    def get(self, deployment: str) -> Route | None:
        return self._kept.get(deployment)

    def owner(self, path: str) -> str:
        """The deployment whose link the path is; "": nobody's."""
        return model.owners(self._kept.find({"path": path}, limit=PAGE)).get(path, "")

    def all(self) -> dict[str, Route]:
        found: dict[str, Route] = {}
        after = None
        while page := self._kept.find({}, limit=PAGE, after=after):
            found |= {doc["id"]: doc for doc in page}
            after = (None, page[-1]["id"])
        return found

    def _change(self, deployment: str, decide: Callable[[Route], Route | None]) -> bool:
        def keep(route: Route) -> tuple[Route, tuple[()]] | None:
            changed = decide(route)
            return None if changed is None else (changed, ())

        try:
            return self._kept.change(deployment, keep) is not None
        except NotFound:
            first = decide(model.empty())
            if first is None:
                return False
        try:
            self._kept.insert(deployment, first)
            return True
        except Taken:
            return self._kept.change(deployment, keep) is not None
