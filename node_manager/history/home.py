"""Which home the history has: PostgreSQL, or in a memory world the twin."""

from __future__ import annotations

from backbone.backbone import Backbone
from node_manager.history import FigureHistory
from node_manager.history.memory import MemoryHistory


def open_history(backbone: Backbone) -> FigureHistory:
    if backbone.tables is None:
        shared: FigureHistory = backbone.parts.extra.setdefault("figures", MemoryHistory())
        return shared
    from node_manager.history.postgres import PostgresHistory

    return PostgresHistory(backbone.tables)
