"""A place in a bucket of an S3-compatible service (AWS, Alibaba Cloud OSS, Huawei OBS, MinIO, Ceph …)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import Any

from portal.core.storage.contract import MissingContent, StorageUnavailable, is_name

READ_SIZE = 1024 * 1024
#: Parts of a large object; S3 allows 10,000 of them, so one object may have 80 GB.
PART_SIZE = 8 * 1024 * 1024
TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True)
class S3Access:
    """How the service is reached.

    :ivar endpoint: "" means AWS. Plain http is for a service on the same machine or a closed network.
    :ivar path_style: the bucket is part of the path; false: part of the host's name (Alibaba Cloud needs that).
    """

    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = ""
    path_style: bool = True


class S3Place:
    """Objects below a prefix of a bucket.

    An object appears when its upload is complete, never before: that is the service's promise. Parts of an upload that
    was cut off are invisible; a rule of the bucket ("abort incomplete multipart uploads") removes them.
    """

    def __init__(self, bucket: str, prefix: str, access: S3Access) -> None:
        from obstore.store import S3Store

        self.bucket, self.prefix, self.access = bucket, prefix.strip("/"), access
        options: dict[str, Any] = {"region": access.region, "virtual_hosted_style_request": not access.path_style}
        if access.endpoint:
            options["endpoint"] = access.endpoint
        if access.access_key_id:
            options["access_key_id"] = access.access_key_id
            options["secret_access_key"] = access.secret_access_key
        self._store = S3Store(
            bucket,
            prefix=self.prefix or None,
            client_options={"allow_http": access.endpoint.startswith("http://"), "timeout": TIMEOUT},
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=30)},
            **options,
        )

    def write(self, name: str, blocks: Iterable[bytes], durable: bool = True) -> int:
        """Keep bytes; see `Place.write`. At most about a hundred MB are held in memory, whatever the size.

        The bytes are collected first, large ones in a temporary file (they are sealed already): the source may be
        another bucket, and the library cannot read one while it writes another.
        """
        import obstore

        del durable  # an answered upload is durable
        self._check(name)
        with SpooledTemporaryFile(max_size=PART_SIZE) as held:
            for block in blocks:
                held.write(block)
            size = held.tell()
            held.seek(0)
            with _service_errors(name):
                if size <= PART_SIZE:
                    obstore.put(self._store, name, held.read())
                else:
                    parts = iter(lambda: held.read(READ_SIZE), b"")
                    obstore.put(self._store, name, parts, chunk_size=PART_SIZE, max_concurrency=4)
        return size

    def flush(self) -> None:
        """Nothing to do: every write was durable."""

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes; see `Place.read`."""
        import obstore

        self._check(name)
        with _service_errors(name):
            found = obstore.get(self._store, name)
        return self._blocks(name, found)

    @staticmethod
    def _blocks(name: str, found: Any) -> Iterator[bytes]:
        with _service_errors(name):
            for block in found.stream(min_chunk_size=READ_SIZE):
                yield bytes(block)

    def exists(self, name: str) -> bool:
        """Whether there is an object."""
        try:
            self.size(name)
        except MissingContent:
            return False
        return True

    def size(self, name: str) -> int:
        """Bytes of the object."""
        import obstore

        self._check(name)
        with _service_errors(name):
            return int(obstore.head(self._store, name)["size"])

    def delete(self, name: str) -> bool:
        """Remove an object; whether there was one."""
        import obstore

        if not self.exists(name):
            return False
        with _service_errors(name):
            obstore.delete(self._store, name)
        return True

    def names(self, prefix: str = "") -> Iterator[str]:
        """Names below a prefix, in order."""
        import obstore

        with _service_errors(prefix):
            for batch in obstore.list(self._store, prefix.rstrip("/") or None, chunk_size=1000):
                for entry in sorted(batch, key=lambda entry: entry["path"]):
                    if is_name(entry["path"]):
                        yield entry["path"]

    def sweep(self, older_than_seconds: int = 86400) -> int:
        """Nothing to do here: unfinished uploads are the service's."""
        return 0

    def describe(self) -> str:
        """Bucket and prefix."""
        where = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return f"{where} ({self.access.endpoint})" if self.access.endpoint else where

    @staticmethod
    def _check(name: str) -> None:
        if not is_name(name):
            raise MissingContent(name)


@contextmanager
def _service_errors(name: str) -> Iterator[None]:
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (FileNotFoundError, NotFoundError):
        raise MissingContent(name) from None
    except (BaseError, OSError) as error:
        # The texts of the service may be long and name hosts; the first line is enough for the log.
        raise StorageUnavailable(str(error).strip().split("\n")[0][:300]) from error
