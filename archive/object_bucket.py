"""A store in a bucket of S3, or of any server that speaks it and refuses a second write (``If-None-Match: *``).

An object is put under its name in one request, or in parts that become an object together; either way whoever sees the
name sees all the bytes, and a name that is taken is refused by the server. There is no renaming and no folder: what is
unfinished is an incomplete multipart upload, which ``sweep`` aborts.

Login, endpoint and region come from the options (an Airflow connection) or from what botocore reads: ``AWS_PROFILE``,
``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_ENDPOINT_URL_S3``, ``AWS_DEFAULT_REGION``, ``AWS_CA_BUNDLE``.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, cast

from archive.object_place import (
    FOLDERS,
    KEYS,
    LAYOUT,
    OBJECTS,
    TEMPORARY,
    Stored,
    foreign_store,
    object_name,
    short_write,
)
from schemas.errors import ConfigurationError, FatalError, LienthongError, RetriableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PART = 8 << 20
_MOST_PARTS = 9_000  # the protocol allows 10,000
_READ_AHEAD = 4 << 20
_REQUESTS = 16  # at once
_CONFIGURATION = {
    "AccessDenied", "AccountProblem", "AllAccessDisabled", "AuthorizationHeaderMalformed", "ExpiredToken",
    "IllegalLocationConstraintException", "InvalidAccessKeyId", "InvalidBucketName", "InvalidToken", "NoSuchBucket",
    "NotSignedUp", "PermanentRedirect", "SignatureDoesNotMatch", "301", "401", "403",
}  # fmt: skip
_AWAY = {
    "BadGateway", "ConditionalRequestConflict", "GatewayTimeout", "InternalError", "OperationAborted",
    "RequestTimeout", "RequestTimeTooSkewed", "ServiceUnavailable", "SlowDown", "500", "502", "503", "504",
}  # fmt: skip
_FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "507"}
_TAKEN = {"PreconditionFailed", "412"}
_Answer = Mapping[str, object]


class BucketPlace:
    """A bucket, or the part of one below a prefix, for any number of writers at once.

    Args:
        location: ``s3://bucket/prefix``.
        options: of ``s3fs.S3FileSystem``.

    Raises:
        ConfigurationError: there is no such bucket, or the login is refused; s3fs is not installed.
        FatalError: the place holds something else, or a store of another layout. RetriableError: the server is away.
    """

    def __init__(self, location: str, options: Mapping[str, object]) -> None:
        try:
            from s3fs import S3FileSystem
        except ImportError as error:
            raise ConfigurationError(
                "a store in a bucket needs s3fs", where=location, action="pip install 'lienthong[s3]'"
            ) from error
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        # Nothing remembered: other machines write here too.
        self._fs = S3FileSystem(**options, use_listings_cache=False)
        self._lay_out()

    @property
    def location(self) -> str:
        """The URL."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def find(self, keys: Iterable[str]) -> Stored | None:
        """See ``ObjectPlace``; one request, because the forms of an object begin with the same characters."""
        wanted = list(keys)
        found = {stored.key: stored for stored in self._listed(min(wanted, key=len), len(wanted))}
        return next((found[key] for key in wanted if key in found), None)

    def find_each(self, wanted: Iterable[Sequence[str]]) -> list[Stored | None]:
        """See ``ObjectPlace``; several requests at once."""
        with ThreadPoolExecutor(_REQUESTS) as pool:
            return list(pool.map(self.find, wanted))

    def write(self, key: str, pieces: Iterable[bytes], size: int) -> bool:
        """See ``ObjectPlace``."""
        part = max(_PART, -(-size // _MOST_PARTS))
        try:
            if size <= part:
                data = b"".join(pieces)
                if len(data) != size:
                    raise short_write(self.location, key, len(data), size)
                self._call("put_object", Key=self._prefix + key, Body=data, IfNoneMatch="*")
            else:
                self._write_parts(key, pieces, size, part)
        except _TakenError:
            self._check(key, size)
            return False
        self._check(key, size)
        return True

    def settle(self, stored: Stored) -> None:
        """See ``ObjectPlace``: a listed object is stored."""

    def open(self, stored: Stored) -> RawIOBase:
        """See ``ObjectPlace``."""
        path = f"{self._bucket}/{self._prefix}{stored.key}"
        with self._errors():
            return _BucketReader(
                self,
                self._fs.open(path, "rb", size=stored.size, block_size=_READ_AHEAD, cache_type="readahead"),
            )

    def file(self, stored: Stored) -> Path | None:
        """See ``ObjectPlace``: none."""
        return None

    @contextmanager
    def planted(self, key: str, data: bytes) -> Iterator[Stored]:
        """See ``ObjectPlace``."""
        try:
            self.write(key, [data], len(data))
            yield Stored(key, len(data), time.time())
        finally:
            self.remove(key)

    def names(self) -> Iterator[str]:
        """See ``ObjectPlace``; one page of the listing is held at a time."""
        before = ""
        for stored in self._pages(f"{OBJECTS}/"):
            _, folder, file = stored.key.split("/", 2)
            name = object_name(folder, file)
            if name and name != before:
                before = name
                yield name

    def key_copies(self) -> list[Stored]:
        """See ``ObjectPlace``."""
        return list(self._pages(f"{KEYS}/"))

    def remove(self, key: str) -> bool:
        """See ``ObjectPlace``. In a bucket that keeps versions, or locks them, the bytes stay until it lets them go."""
        if self.find([key]) is None:
            return False
        self._call("delete_object", Key=self._prefix + key)
        return True

    def sweep(self, before: float) -> int:
        """See ``ObjectPlace``: incomplete uploads, and planted files that were left."""
        swept = 0
        for upload in self._uploads():
            if cast(datetime, upload["Initiated"]).timestamp() < before:
                self._abort(str(upload["Key"]), str(upload["UploadId"]))
                swept += 1
        for stored in list(self._pages(f"{TEMPORARY}/")):
            if stored.modified < before:
                swept += self.remove(stored.key)
        return swept

    def _lay_out(self) -> None:
        if self.find([LAYOUT]) is not None:
            return
        answer = self._call("list_objects_v2", Prefix=self._prefix, Delimiter="/", MaxKeys=20)
        folders = [str(one["Prefix"]) for one in _entries(answer, "CommonPrefixes")]
        found = [str(one["Key"]) for one in _entries(answer, "Contents")] + [
            name.rstrip("/") for name in folders
        ]
        foreign = {name.removeprefix(self._prefix) for name in found} - {*FOLDERS, LAYOUT, ""}
        if foreign:
            raise foreign_store(self.location, min(foreign))
        self.write(LAYOUT, (), 0)

    def _write_parts(self, key: str, pieces: Iterable[bytes], size: int, part: int) -> None:
        name = self._prefix + key
        upload = str(self._call("create_multipart_upload", Key=name)["UploadId"])
        try:
            parts = []
            written = 0
            for number, data in enumerate(_regrouped(pieces, part), start=1):
                answer = self._call("upload_part", Key=name, UploadId=upload, PartNumber=number, Body=data)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
                written += len(data)
            if written != size:
                raise short_write(self.location, key, written, size)
            self._call(
                "complete_multipart_upload",
                Key=name, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*",
            )  # fmt: skip
        except BaseException:
            try:
                self._abort(name, upload)
            except LienthongError:  # the first failure is the one to tell; the sweep aborts it later
                pass
            raise

    def _abort(self, name: str, upload: str) -> None:
        try:
            self._call("abort_multipart_upload", Key=name, UploadId=upload)
        except FatalError as error:
            if not isinstance(error.__cause__, FileNotFoundError):  # it is gone already
                raise

    def _check(self, key: str, size: int) -> None:
        stored = self.find([key])
        if stored is None or stored.size != size:
            raise short_write(self.location, key, stored.size if stored else 0, size)

    def _listed(self, prefix: str, most: int) -> list[Stored]:
        answer = self._call("list_objects_v2", Prefix=self._prefix + prefix, MaxKeys=most)
        return [self._one(entry) for entry in _entries(answer, "Contents")]

    def _pages(self, prefix: str) -> Iterator[Stored]:
        after: dict[str, object] = {}
        while True:
            answer = self._call("list_objects_v2", Prefix=self._prefix + prefix, **after)
            yield from (self._one(entry) for entry in _entries(answer, "Contents"))
            if not answer.get("IsTruncated"):
                return
            after = {"ContinuationToken": answer["NextContinuationToken"]}

    def _uploads(self) -> Iterator[_Answer]:
        after: dict[str, object] = {}
        while True:
            answer = self._call("list_multipart_uploads", Prefix=self._prefix, **after)
            yield from _entries(answer, "Uploads")
            if not answer.get("IsTruncated"):
                return
            after = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}

    def _one(self, entry: _Answer) -> Stored:
        modified = cast(datetime, entry["LastModified"]).timestamp()
        return Stored(str(entry["Key"]).removeprefix(self._prefix), cast(int, entry["Size"]), modified)

    def _call(self, method: str, **arguments: object) -> _Answer:
        with self._errors():
            return cast(_Answer, self._fs.call_s3(method, Bucket=self._bucket, **arguments))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (LienthongError, GeneratorExit):
            raise
        except Exception as error:
            raise _translated(error, self.location) from error


class _TakenError(Exception):
    """The name was taken by another writer."""


class _BucketReader(RawIOBase):
    """A reader of an object that tells a server's absence from a missing object."""

    def __init__(self, place: BucketPlace, stream: RawIOBase) -> None:
        super().__init__()
        self._place = place
        self._stream = stream

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Position in bytes."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move."""
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` with what follows."""
        try:
            return self._stream.readinto(buffer) or 0
        except FileNotFoundError:
            raise
        except Exception as error:
            raise _translated(error, self._place.location) from error

    def close(self) -> None:
        """Let go of what was read ahead."""
        if not self.closed:
            self._stream.close()
        super().close()


def _entries(answer: _Answer, name: str) -> list[_Answer]:
    return cast("list[_Answer]", answer.get(name) or [])


def _regrouped(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """``pieces`` in parts of ``size`` bytes, the last one shorter."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def _translated(error: Exception, location: str) -> Exception:
    """What the server's or the library's ``error`` means for us."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
    from botocore.exceptions import ConnectionError as UnreachableError

    cause = error if isinstance(error, ClientError) else error.__cause__
    told, code, status = str(error), "", ""
    if isinstance(cause, ClientError):
        answer = cast("dict[str, dict[str, object]]", cause.response)
        code = str(answer.get("Error", {}).get("Code", ""))
        status = str(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        told = f"{code}: {answer.get('Error', {}).get('Message', '')}"
    said = {code, status}
    if said & _TAKEN:
        return _TakenError()
    if said & _FULL:
        return FatalError(
            f"the object store {location} is full ({told})", action="make room, or raise its quota"
        )
    if said & _AWAY or isinstance(error, HTTPClientError | UnreachableError | TimeoutError | ConnectionError):
        return RetriableError(
            f"the server of the object store {location} is away or busy: {told}", action="see that it runs"
        )
    if said & _CONFIGURATION or isinstance(error, PermissionError | NoCredentialsError):
        return ConfigurationError(
            f"the server of the object store does not let us in: {told}",
            where=location,
            action="correct the bucket, the login or the endpoint: the connection in LIENTHONG_OBJECTS, or AWS_*",
        )
    if isinstance(error, BotoCoreError):
        return ConfigurationError(f"the object store cannot be asked: {error}", where=location)
    if isinstance(error, OSError) and error.errno in {errno.EBUSY, errno.EREMOTEIO}:
        return RetriableError(f"the server of the object store {location} is busy: {told}")
    return FatalError(
        f"the server of the object store {location} refuses: {told}",
        action="look at the server and its bucket",
    )
