"""Twins that a test takes away say so in every verb, as the real ones do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backbone.documents import Declared, Documents
from backbone.documents.memory import MemoryHome
from backbone.memory import MemoryPlatform
from contracts.errors import Unavailable

VERBS: tuple[Callable[[Documents], object], ...] = (
    lambda docs: docs.insert("b", {}), lambda docs: docs.get("a"), lambda docs: docs.replace("a", 1, {}), lambda docs: docs.find({}),
    lambda docs: docs.update_if("a", {}, {}), lambda docs: docs.delete("a"),
)  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_documents_that_are_away(verb: Callable[[Documents], object]) -> None:
    home = MemoryHome()
    docs = home.collection(Declared("things", {}))
    docs.insert("a", {"x": 1})
    home.away = "no server"
    calls: list[Callable[[], object]] = [lambda: verb(docs), home.ready, lambda: home.collection(Declared("others", {}))]
    for call in calls:
        with pytest.raises(Unavailable, match="no server"):
            call()
    home.away = ""
    assert (found := docs.get("a")) and found.doc == {"x": 1}, "nothing was done meanwhile"


def test_each_backing_service_of_a_platform_can_be_taken_away() -> None:
    platform = MemoryPlatform()
    questions = platform.backbone("monitor").backing
    for service, question in questions.items():
        question()
        platform.take_away(service, "a test says so")
        with pytest.raises(Unavailable, match="a test says so"):
            question()
        platform.take_away(service, "")
        question()
    assert sorted(questions) == ["azurite", "haproxy", "kafka", "postgres", "registry", "slapd"]
