"""The blobs promise, the same for Azure Blob Storage (or Azurite) and the memory twin."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator
from io import BytesIO

import pytest

from backbone.blobs import Blobs
from backbone.blobs.azure import AzureBlobs, open_blobs
from backbone.blobs.memory import MemoryBlobs
from backbone.settings import Settings
from contracts.errors import Invalid, NotFound, Unavailable
from tests.support.real import address

BIG = bytes(range(256)) * 40_000  # 10 MB: more than two pieces
AWAY = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a;"


@pytest.fixture(params=["memory", pytest.param("azure", marks=pytest.mark.real)])
def blobs(request: pytest.FixtureRequest) -> Iterator[Blobs]:
    if request.param == "memory":
        yield MemoryBlobs()
        return
    real = open_blobs(Settings({"BLOB_URL": address("BLOB_URL")}))
    yield real
    real.close()


@pytest.fixture
def box(blobs: Blobs) -> Iterator[str]:
    """A container of the test's own."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    if isinstance(blobs, AzureBlobs) and name in blobs._made:
        blobs._service.delete_container(name)


def test_what_was_put_is_got(blobs: Blobs, box: str) -> None:
    assert blobs.put(box, "a/b c ü.zip", b"\x00\xff") == 2
    assert blobs.get(box, "a/b c ü.zip") == b"\x00\xff"
    assert blobs.exists(box, "a/b c ü.zip")


def test_nothing_is_something(blobs: Blobs, box: str) -> None:
    assert blobs.put(box, "empty", b"") == 0
    assert blobs.get(box, "empty") == b""
    assert blobs.open(box, "empty").read() == b""
    assert blobs.put_stream(box, "none", []) == 0
    assert blobs.get(box, "none") == b""


def test_a_file_from_where_it_stands(blobs: Blobs, box: str) -> None:
    file = BytesIO(BIG)
    file.seek(100)
    assert blobs.put(box, "big", file) == len(BIG) - 100
    assert hashlib.sha256(blobs.get(box, "big")).digest() == hashlib.sha256(BIG[100:]).digest()


def test_chunks_as_they_come(blobs: Blobs, box: str) -> None:
    chunks = [BIG[:10], b"", BIG[10:5_000_000], BIG[5_000_000:]]
    assert blobs.put_stream(box, "big", iter(chunks)) == len(BIG)
    assert blobs.get(box, "big") == BIG


def test_open_reads_piece_by_piece(blobs: Blobs, box: str) -> None:
    blobs.put(box, "big", BIG)
    file = blobs.open(box, "big")
    read = [file.read(5), *iter(lambda: file.read(1_000_000), b"")]
    assert read[0] == BIG[:5] and b"".join(read) == BIG
    assert file.read() == b""
    file.close()


def test_what_is_read_by_lines(blobs: Blobs, box: str) -> None:
    blobs.put(box, "log", b"one\ntwo\n")
    assert list(blobs.open(box, "log")) == [b"one\n", b"two\n"]


def test_putting_again_replaces(blobs: Blobs, box: str) -> None:
    blobs.put(box, "a", BIG)
    blobs.put(box, "a", b"small")
    assert blobs.get(box, "a") == b"small"


@pytest.mark.parametrize("before", [None, b"before"])
@pytest.mark.parametrize("size", [10, 9_000_000])
def test_a_write_that_fails_leaves_what_was_there(blobs: Blobs, box: str, before: bytes | None, size: int) -> None:
    if before:
        blobs.put(box, "a", before)

    def broken() -> Iterator[bytes]:
        yield b"x" * size
        raise ConnectionResetError("the uploader went away")

    with pytest.raises(ConnectionResetError, match="uploader"):
        blobs.put_stream(box, "a", broken())
    assert blobs.exists(box, "a") is bool(before)
    if before:
        assert blobs.get(box, "a") == before


def test_what_is_not_there(blobs: Blobs, box: str) -> None:
    for make in (False, True):
        if make:
            blobs.put(box, "other", b"")
        assert not blobs.exists(box, "a")
        assert not blobs.delete(box, "a")
        with pytest.raises(NotFound):
            blobs.get(box, "a")
        with pytest.raises(NotFound):
            blobs.open(box, "a")


def test_delete(blobs: Blobs, box: str) -> None:
    blobs.put(box, "a", b"1")
    assert blobs.delete(box, "a")
    assert not blobs.delete(box, "a")
    assert not blobs.exists(box, "a")


def test_list(blobs: Blobs, box: str) -> None:
    assert blobs.list(box) == []
    for name in ("logs/2", "logs/1", "zips/1", "LOGS/3"):
        blobs.put(box, name, b"")
    assert blobs.list(box) == ["LOGS/3", "logs/1", "logs/2", "zips/1"]
    assert blobs.list(box, "logs/") == ["logs/1", "logs/2"]
    assert blobs.list(box, "none") == []


def test_many_threads_may_write_one_name(blobs: Blobs, box: str) -> None:
    whole = [bytes([n]) * 100_000 for n in range(6)]
    threads = [threading.Thread(target=blobs.put, args=(box, "a", one)) for one in whole]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blobs.get(box, "a") in whole


def test_a_store_that_answers_is_ready(blobs: Blobs) -> None:
    blobs.ready()


def away() -> Iterator[Blobs]:
    memory = MemoryBlobs()
    memory.away = "a test says so"
    yield memory
    yield open_blobs(Settings({"BLOB_URL": AWAY}))


@pytest.mark.parametrize("blobs", away(), ids=["memory", "azure"])
def test_a_store_that_is_away_says_so(blobs: Blobs) -> None:
    with pytest.raises(Unavailable):
        blobs.put("box", "a", b"")


def test_an_address_that_is_none_is_said_without_its_key() -> None:
    with pytest.raises(Invalid) as told:
        open_blobs(Settings({"BLOB_URL": "AccountKey=c2VjcmV0"}))
    assert "c2VjcmV0" not in str(told.value)
