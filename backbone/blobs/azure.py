"""Blobs on Azure Blob Storage, or on Azurite, which speaks the same protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, cast

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient, LinearRetry

from backbone.settings import Settings
from contracts.errors import Invalid, NotFound, Unavailable

PIECE = 4 << 20
"""Bytes held in memory at a time, up and down."""


def open_blobs(settings: Settings) -> AzureBlobs:
    """BLOB_URL is an Azure Storage connection string."""
    address = settings.secret("BLOB_URL")
    settings.check()
    try:
        service = BlobServiceClient.from_connection_string(
            address.reveal(),
            connection_timeout=5,
            read_timeout=60,
            retry_policy=LinearRetry(backoff=1, retry_total=2, random_jitter_range=0),
            max_single_put_size=PIECE,
            max_block_size=PIECE,
            max_single_get_size=PIECE,
            max_chunk_get_size=PIECE,
        )
    except ValueError:
        raise Invalid("BLOB_URL is no connection string; it looks like AccountName=...;AccountKey=...") from None
    return AzureBlobs(service)


class AzureBlobs:
    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service
        self._made: set[str] = set()

    def put(self, container: str, name: str, data: bytes | BinaryIO) -> int:
        return self.put_stream(container, name, [data] if isinstance(data, bytes) else pieces(data))

    def put_stream(self, container: str, name: str, chunks: Iterable[bytes]) -> int:
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                size += len(chunk)
                yield chunk

        with told(f"{container}/{name}"):
            self._make(container)
            self._blob(container, name).upload_blob(counted(), overwrite=True, max_concurrency=1)
        return size

    def open(self, container: str, name: str) -> BinaryIO:
        with told(f"{container}/{name}"):
            stream = self._blob(container, name).download_blob(max_concurrency=1)
        return cast(BinaryIO, BufferedReader(Download(stream, f"{container}/{name}"), PIECE))

    def get(self, container: str, name: str) -> bytes:
        with told(f"{container}/{name}"):
            return self._blob(container, name).download_blob(max_concurrency=1).readall()

    def exists(self, container: str, name: str) -> bool:
        with told(f"{container}/{name}"):
            return self._blob(container, name).exists()

    def delete(self, container: str, name: str) -> bool:
        try:
            with told(f"{container}/{name}"):
                self._blob(container, name).delete_blob()
        except NotFound:
            return False
        return True

    def list(self, container: str, prefix: str = "") -> Sequence[str]:
        try:
            with told(container):
                client = self._service.get_container_client(container)
                return sorted(client.list_blob_names(name_starts_with=prefix or None))
        except NotFound:
            return []

    def ready(self) -> None:
        with told("the account"):
            self._service.get_service_properties()

    def close(self) -> None:
        self._service.close()

    def _blob(self, container: str, name: str) -> BlobClient:
        return self._service.get_blob_client(container, name)

    def _make(self, container: str) -> None:
        """Before the first write: a stream cannot be sent twice."""
        if container in self._made:
            return
        try:
            self._service.create_container(container)
        except ResourceExistsError:
            pass
        self._made.add(container)


class Download(RawIOBase):
    """A blob on its way down as a file; the next piece is fetched when it is read."""

    def __init__(self, stream: Any, where: str) -> None:
        self._stream, self._where = stream, where

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with told(self._where):
            piece: bytes = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


@contextmanager
def told(where: str) -> Iterator[None]:
    """Azure's errors in the port's words."""
    try:
        yield
    except ResourceNotFoundError as error:
        raise NotFound(f"there is no blob {where}") from error
    except HttpResponseError as error:
        if error.status_code == 400:
            raise Invalid(f"the blob store takes no such name: {where} ({error.reason})") from error
        said = f"{error.status_code} {error.reason}"
        raise Unavailable(f"the blob store refused {where}: {said}; see BLOB_URL") from error
    except AzureError as error:
        raise Unavailable(f"the blob store does not answer ({type(error).__name__}); see BLOB_URL") from error
