"""The documents promise, the same for every home: what find() finds, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from backbone.documents import After, Documents, Found
from contracts.errors import Invalid

pytest_plugins = ["tests.support.document_homes"]


def ids(found: list[Found]) -> list[str]:
    return [one.id for one in found]


@pytest.mark.parametrize(("where", "wanted"), [
    ({}, "abcd"), ({"owner": "x"}, "ac"), ({"owner": "x", "due": 3}, "c"), ({"due": 1.0}, "a"), ({"due": (">", 1)}, "bc"),
    ({"due": (">=", 1)}, "abc"), ({"due": [(">", 1), ("<", 3)]}, "b"), ({"due": ("<=", 2)}, "ab"), ({"on": False}, "b"),
    ({"owner": (">", "x")}, "b"), ({"owner": "%"}, ""), ({"on": (">=", False)}, "ab"), ({"due": 2**53}, "")])
def test_find_by_equality_and_range(docs: Documents, where: Any, wanted: str) -> None:
    docs.insert("a", {"owner": "x", "due": 1, "on": True})
    docs.insert("b", {"owner": "y", "due": 2.5 - 0.5, "on": False})
    docs.insert("c", {"owner": "x", "due": 3.0})
    docs.insert("d", {"owner": None, "note": 1})
    assert ids(docs.find(where)) == list(wanted)


def test_find_sorts_by_a_field_then_id_and_limits(docs: Documents) -> None:
    for id, due in (("c", 2), ("b", 10), ("a", 2.0), ("d", -1.5), ("e", None)):
        docs.insert(id, {"due": due})
    assert ids(docs.find({}, sort="due")) == ["d", "a", "c", "b"]
    assert ids(docs.find({}, sort="due", down=True)) == ["b", "c", "a", "d"]
    assert ids(docs.find({}, sort="due", limit=2)) == ["d", "a"]
    assert docs.find({}, limit=0) == []


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("sort", ["", "owner", "due", "on"])
def test_pages_put_together_are_the_whole(docs: Documents, sort: str, down: bool) -> None:
    for i, id in enumerate(["é", "a", "B", "c", "_", "😀", "z"]):
        docs.insert(id, {"owner": "xyZ"[i % 3], "due": i // 2 - 1, "on": i % 2 == 0} | ({"due": None} if i == 3 else {}))
    whole = docs.find({"owner": (">=", "Z")}, sort, down)
    pages: list[Found] = []
    after: After | None = None
    while page := docs.find({"owner": (">=", "Z")}, sort, down, limit=2, after=after):
        pages += page
        after = (page[-1].doc[sort] if sort else None, page[-1].id)
    assert pages == whole and len(whole) == (6 if sort == "due" else 7)


def test_a_page_goes_on_where_a_document_is_gone(docs: Documents) -> None:
    for id in "abcd":
        docs.insert(id, {"due": 1})
    docs.delete("b")
    assert ids(docs.find({}, "due", after=(1.0, "b"))) == ["c", "d"]
    assert ids(docs.find({}, down=True, after=(None, "b"))) == ["a"]


def test_text_is_sorted_by_code_point(docs: Documents) -> None:
    for i, owner in enumerate(["b", "a", "B", "é", "z", "_", "10", "9", "\U0001f600", "\uffee", ""]):
        docs.insert(str(i), {"owner": owner})
    got = [f.doc["owner"] for f in docs.find({}, sort="owner")]
    assert got == sorted(got) and len(got) == 11


def test_text_is_compared_by_code_point(docs: Documents) -> None:
    for id in ("b", "a", "B", "é", "_"):
        docs.insert(id, {"owner": id})
    assert ids(docs.find({"owner": ("<", "a")})) == ["B", "_"]
    assert ids(docs.find({"owner": [(">=", "_"), ("<=", "b")]})) == ["_", "a", "b"]


def test_ids_are_sorted_by_code_point(docs: Documents) -> None:
    for id in ("b", "a", "B", "é", "_"):
        docs.insert(id, {})
    assert ids(docs.find({})) == ["B", "_", "a", "b", "é"]


@pytest.mark.parametrize("where", [
    {"note": 1}, {"owner": 1}, {"owner": None}, {"due": ("!=", 1)}, {"due": (">", "1")}, {"due": float("nan")},
    {"due": 2**53 + 1}, {"owner": "\0"}, {"owner": "\ud800"}, {"due": ("<", 1, 2)}], ids=ascii)
def test_find_refuses_what_is_not_declared(docs: Documents, where: Any) -> None:
    with pytest.raises(Invalid):
        docs.find(where)
    with pytest.raises(Invalid):
        docs.update_if("a", where, {})


@pytest.mark.parametrize("asked", [{"sort": "note"}, {"limit": -1}, {"sort": "due", "after": ("x", "a")}], ids=ascii)
def test_an_order_that_cannot_be_is_refused(docs: Documents, asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        docs.find({}, **asked)


def test_quotes_and_odd_text_are_only_text(docs: Documents) -> None:
    odd = "'; DROP TABLE documents; -- %s %(id)s {} \" \\ \n\u2028"
    docs.insert(odd, {"owner": odd, odd.replace(".", ""): odd})
    assert ids(docs.find({"owner": odd})) == [odd]
