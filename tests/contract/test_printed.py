"""What the agent may count on of the lines that containers print, from Docker's files and from their twin alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backbone.containers.printed import Mark, Piece, Printer, Tail
from tests.support.container_homes import APP, HOMES, Home

SAYS = APP.replace('print("serving")', 'print("one")\n    print("two")').replace("import http", 'print("zero")\nimport http')


@pytest.fixture(params=["memory", pytest.param("docker", marks=pytest.mark.real)])
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    home = HOMES[request.param]()
    try:
        yield home
    finally:
        home.close()


def printer(home: Home) -> Printer:
    """The one instance, once it has printed."""
    home.containers.services.make(home.spec(home.image(SAYS)))
    home.until(lambda: home.addresses() and home.containers.printed.printers(home.labels))
    return home.containers.printed.printers(home.labels)[0]


def follow(home: Home, one: Printer, mark: Mark | None = None) -> Tail:
    tail = home.containers.printed.follow(one, mark)
    assert tail
    return tail


def some(home: Home, tail: Tail) -> list[Piece]:
    found: list[Piece] = []

    def more() -> bool:
        found.extend(tail.read(1 << 16))
        return bool(found)

    home.until(more)
    return found


def test_a_printer_is_known_by_its_labels(home: Home) -> None:
    one = printer(home)
    local = home.containers.node.local(home.labels)[0]
    assert (one.task, one.id, one.ended) == (local.id, local.container, False)
    assert one.labels["berth.deployment"] == "d1"
    assert home.containers.printed.printers({"berth.installation": "another"}) == []


def test_lines_are_read_from_the_beginning_and_on_from_a_mark(home: Home) -> None:
    one = printer(home)
    first = some(home, follow(home, one))[0]
    assert (first.text, first.ends, first.stream, first.gap) == ("zero", True, "out", False)
    assert some(home, follow(home, one))[0] == first
    tail = follow(home, one, first.after)
    assert not any(piece.at <= first.at for piece in tail.read(1 << 16))
    tail.back(first.at)
    assert tail.read(1 << 16)[0] == first


def test_what_was_printed_is_read_also_after_the_removal(home: Home) -> None:
    one = printer(home)
    begun = follow(home, one)
    home.until(lambda: bool(begun.read(1 << 16)))
    begun.back(None)
    for service in home.containers.services.services(home.labels):
        home.containers.services.remove(service.name)
    home.until(lambda: not home.containers.printed.printers(home.labels))
    assert begun.read(1 << 16)[0].text == "zero"
    begun.close()
    assert home.containers.printed.follow(one, None) is None
