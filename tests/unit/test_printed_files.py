"""Docker's log files, followed on real files that are really rotated: nothing twice, nothing missed, what is lost is said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from backbone.containers.engine_files import KEPT, FileTail
from backbone.containers.printed import Mark, Piece
from tests.support.printed import START, Docker


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def texts(tail: FileTail, most: int = 1 << 16) -> list[str]:
    """All that is there."""
    found: list[Piece] = []
    while pieces := tail.read(most):
        found += pieces
    return [f"<{'' if p.exact else 'at least '}{p.lost} lost>" if p.gap else p.text for p in found]


def follow(docker: Docker, mark: Mark | None = None) -> FileTail:
    return FileTail(str(docker.path), mark)


def test_lines_come_once_as_they_are_printed(docker: Docker) -> None:
    tail = follow(docker)
    assert texts(tail) == []
    docker.say("one", "two")
    assert texts(tail) == ["one", "two"]
    docker.say("three", stream="stderr")
    (piece,) = tail.read(1 << 16)
    assert (piece.text, piece.stream, piece.time) == ("three", "err", START + timedelta(seconds=2))
    assert tail.read(1 << 16) == []


def test_a_line_that_docker_is_still_writing_is_waited_for(docker: Docker) -> None:
    tail = follow(docker)
    docker.say("one")
    whole = docker.path.read_bytes()
    docker.path.write_bytes(whole[:20])
    assert texts(tail) == []
    with docker.path.open("ab") as file:
        file.write(whole[20:])
    assert texts(tail) == ["one"]


def test_a_rotation_is_read_through(docker: Docker) -> None:
    tail = follow(docker)
    docker.say("one")
    assert texts(tail) == ["one"]
    docker.say("two")
    docker.rotate()
    docker.say("three")
    docker.rotate()
    docker.rotate()
    docker.say("four")
    assert texts(tail) == ["two", "three", "four"]


def test_positions_grow_over_rotations_and_are_the_same_for_the_next_reader(docker: Docker) -> None:
    tail, found = follow(docker), []
    for n in range(30):
        docker.say(*(f"{n} {k}" for k in range(5)))
        if n % 10 == 9 and n < 29:
            docker.rotate()
        found += tail.read(1 << 16)
    positions = [piece.at.position for piece in found]
    assert positions == sorted(set(positions)) and len(found) == 150
    again: list[Piece] = []
    reader = follow(docker)
    while pieces := reader.read(300):
        again += pieces
    assert again == found


@pytest.mark.parametrize("read", range(0, 12))
def test_the_next_reader_goes_on_at_the_mark(docker: Docker, read: int) -> None:
    numbers = [str(n) for n in range(12)]
    for n, number in enumerate(numbers):
        docker.say(number)
        if n in (3, 7):
            docker.rotate()
    tail = follow(docker)
    pieces: list[Piece] = []
    while len(pieces) < read:
        pieces += tail.read(1)[: read - len(pieces)] if read else []
    mark = pieces[-1].after if pieces else None
    assert texts(follow(docker, mark)) == numbers[read:]


def test_going_back_gives_the_same_again_also_over_a_rotation(docker: Docker) -> None:
    tail = follow(docker)
    docker.say("one", "two")
    first, second = tail.read(1 << 16)
    docker.rotate()
    docker.say("three")
    assert texts(tail) == ["three"]
    tail.back(first.after)
    assert tail.read(1 << 16) == [second]
    assert texts(tail) == ["three"]


def test_what_was_printed_before_a_removal_is_read_after_it(docker: Docker) -> None:
    docker.say("one")
    docker.rotate()
    docker.say("two")
    tail = follow(docker)
    docker.remove()
    assert texts(tail) == ["one", "two"]


def test_what_was_rotated_away_while_nobody_looked_is_said(docker: Docker) -> None:
    docker.say("one", "two")
    first = follow(docker).read(1)[0]
    size = docker.path.stat().st_size - first.after.offset
    docker.files = 3
    for text in ("gone", "three", "four", "five"):
        docker.rotate()
        docker.say(text, "more")
    found = texts(follow(docker, first.after))
    assert found[0].startswith("<at least ") and int(found[0].split()[2]) >= size and found[1:3] == ["three", "more"]
    tails = [follow(docker, first.after).read(1 << 16)[0] for _ in range(2)]
    assert tails[0] == tails[1], "who reads again says the same"


def test_a_reader_that_is_kept_waiting_holds_some_files_and_counts_what_goes(docker: Docker) -> None:
    tail = follow(docker)
    docker.say("one", "two")
    first, _ = tail.read(1 << 16)
    gone = docker.path.stat().st_size - first.after.offset
    tail.back(first.after)
    for n in range(KEPT + 1):
        tail.look()
        docker.rotate()
        docker.say(f"file {n}")
        gone += docker.path.stat().st_size if n < 1 else 0
    tail.look()
    assert texts(tail)[:2] == [f"<{gone} lost>", "file 1"]
    tail.back(first.after)
    assert texts(tail)[:2] == [f"<{gone} lost>", "file 1"], "asked again it says so again"


def test_files_that_may_have_come_and_gone_are_not_hidden(docker: Docker) -> None:
    tail = follow(docker)
    docker.say("one")
    assert texts(tail) == ["one"]
    docker.files = 3
    for n in range(5):
        docker.rotate()
        docker.say(str(n))
    assert texts(tail) == ["<at least 0 lost>", "2", "3", "4"]


def test_let_go_closes_what_is_done(docker: Docker) -> None:
    tail = follow(docker)
    for n in range(3):
        docker.say(str(n))
        if n < 2:
            docker.rotate()
    *_, last = [piece for _ in range(4) for piece in tail.read(1 << 16)]
    tail.let_go(last.after)
    assert len(tail._files) == 1 and texts(tail) == []


def test_long_lines_come_in_pieces(docker: Docker) -> None:
    docker.say("a" * 16384, end="")
    docker.say("b")
    tail = follow(docker)
    assert [(p.text[0], p.ends) for p in (*tail.read(64), *tail.read(64))] == [("a", False), ("b", True)]


def test_what_a_power_cut_left_passes_as_it_stands(docker: Docker) -> None:
    docker.say("one")
    with docker.path.open("a") as file:
        file.write('{"log":"cut o')
    docker.say("two")
    with docker.path.open("a") as file:
        file.write("\0\0 not json \u00e9\n")
    docker.say("three")
    assert texts(follow(docker)) == ["one", "two", " not json \u00e9", "three"]


def test_a_file_that_was_emptied_is_a_new_one(docker: Docker) -> None:
    tail = follow(docker)
    docker.say("one", "two")
    assert texts(tail) == ["one", "two"]
    docker.path.write_text("")
    docker.say("x")
    assert texts(tail) == ["x"]
