"""A store in a bucket: what is unfinished, what another writer did first, and what the server's refusals mean."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from archive.object_bucket import BucketPlace
from archive.objects import ObjectStore, open_object_store
from schemas.errors import ConfigurationError, FatalError, LienthongError, RetriableError
from schemas.record import BytesContent
from tests.archive.object_media import Bucket

PART = 8 << 20


@pytest.fixture
def place(bucket: Bucket) -> BucketPlace:
    return BucketPlace(f"s3://{bucket.name}/luu-tru", bucket.options)


@pytest.fixture
def store(place: BucketPlace) -> ObjectStore:
    return ObjectStore(place)


def key_of(data: bytes) -> str:
    name = hashlib.sha256(data).hexdigest()
    return f"sha256/{name[:2]}/{name}"


@pytest.mark.parametrize("size", [10, 2 * PART + 5])
def test_a_name_that_is_taken_is_not_written_again(place: BucketPlace, bucket: Bucket, size: int) -> None:
    data = os.urandom(size)
    assert place.write(key_of(data), [data], size) is True
    assert place.write(key_of(data), [bytes(size)], size) is False
    assert bucket.read(f"luu-tru/{key_of(data)}") == data
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)


def test_a_taken_name_of_another_length_stops_the_run(place: BucketPlace) -> None:
    place.write(key_of(b"x"), [b"x"], 1)
    with pytest.raises(FatalError, match="expected 2 bytes"):
        place.write(key_of(b"x"), [b"xx"], 2)


def test_an_upload_that_fails_leaves_nothing(place: BucketPlace, bucket: Bucket) -> None:
    def pieces() -> Iterator[bytes]:
        yield bytes(PART)
        yield bytes(PART)
        raise RetriableError("the source went away")

    with pytest.raises(RetriableError, match="the source went away"):
        place.write("sha256/aa/x", pieces(), 3 * PART)
    with pytest.raises(FatalError, match="expected 25165824 bytes"):
        place.write("sha256/aa/x", [bytes(PART)], 3 * PART)
    assert place.find(["sha256/aa/x"]) is None
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)


def test_what_a_killed_writer_left_is_swept_once_it_is_old(
    store: ObjectStore, place: BucketPlace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of the tests dates every upload to 2010."""
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="luu-tru/sha256/ab/x")
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="khac/sha256/ab/x")
    bucket.overwrite("luu-tru/tmp/planted-1-plain", b"x")
    uploads = BucketPlace._uploads
    now = datetime.now(UTC)
    with monkeypatch.context() as young:
        young.setattr(
            BucketPlace, "_uploads", lambda self: ({**upload, "Initiated": now} for upload in uploads(self))
        )
        assert store.sweep_temporary(timedelta(hours=1)) == 0
    assert store.sweep_temporary(timedelta(hours=1)) == 1
    assert bucket.listing("luu-tru/tmp/") == ["luu-tru/tmp/planted-1-plain"]
    assert store.sweep_temporary(timedelta(hours=-1)) == 1
    [left] = bucket.client.list_multipart_uploads(Bucket=bucket.name)["Uploads"]
    assert left["Key"] == "khac/sha256/ab/x", "what is not below the prefix is none of our business"
    assert bucket.listing("luu-tru/tmp/") == []


def test_a_prefix_with_something_else_is_refused(bucket: Bucket) -> None:
    bucket.overwrite("hop-dong/2024.pdf", b"x")
    with pytest.raises(FatalError, match=r"no object store of this version: it holds '2024\.pdf'"):
        open_object_store(f"s3://{bucket.name}/hop-dong", options=bucket.options)
    with pytest.raises(FatalError, match="it holds 'hop-dong'"):
        open_object_store(f"s3://{bucket.name}", options=bucket.options)
    assert bucket.listing() == ["hop-dong/2024.pdf"]


def test_two_stores_in_one_bucket_do_not_mix(bucket: Bucket) -> None:
    one, other = (open_object_store(f"s3://{bucket.name}/{name}", options=bucket.options) for name in "ab")
    name = one.put_bytes(b"chi o mot noi").sha256
    assert (list(one), list(other)) == ([name], [])


def test_a_long_listing_is_read_page_by_page(place: BucketPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    names = sorted(hashlib.sha256(b"%d" % n).hexdigest() for n in range(12))
    for name in names:
        place.write(f"sha256/{name[:2]}/{name}", [b"x"], 1)
    place.write(f"sha256/{names[0][:2]}/{names[0]}.enc", [b"x"], 1)
    place.write("sha256/zz/readme.txt", [b"x"], 1)
    calls: list[str] = []
    calling = BucketPlace._call

    def five_at_a_time(self: BucketPlace, method: str, **arguments: object) -> object:
        calls.append(method)
        return calling(self, method, **{"MaxKeys": 5, **arguments})

    monkeypatch.setattr(BucketPlace, "_call", five_at_a_time)
    assert list(place.names()) == names
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("code", "status", "expected", "told"),
    [
        ("NoSuchBucket", 404, ConfigurationError, "does not let us in"),
        ("AccessDenied", 403, ConfigurationError, "does not let us in"),
        ("InvalidAccessKeyId", 403, ConfigurationError, "correct the bucket, the login or the endpoint"),
        ("SlowDown", 503, RetriableError, "away or busy"),
        ("ConditionalRequestConflict", 409, RetriableError, "away or busy"),
        ("", 502, RetriableError, "away or busy"),
        ("XMinioStorageFull", 507, FatalError, "is full"),
        ("EntityTooLarge", 400, FatalError, "refuses"),
    ],
)
def test_what_the_server_answers_becomes_one_of_our_errors(
    store: ObjectStore, place: BucketPlace, monkeypatch: pytest.MonkeyPatch,
    code: str, status: int, expected: type[LienthongError], told: str,
) -> None:  # fmt: skip
    error = ClientError(
        {"Error": {"Code": code, "Message": "xin loi"}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "PutObject",
    )

    def refuse(method: str, **_: object) -> object:
        raise OSError(5, "xin loi") from error

    monkeypatch.setattr(place._fs, "call_s3", refuse)
    with pytest.raises(expected, match=told) as raised:
        store.put_bytes(b"x")
    assert type(raised.value) is expected


def test_a_server_that_is_away_is_tried_again_later(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s3fs.core.S3FileSystem.retries", 1)
    nowhere = {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"}
    options = {
        "key": "ai",
        "secret": "x",
        "client_kwargs": nowhere,
        "config_kwargs": {"retries": {"max_attempts": 0}},
    }
    with pytest.raises(RetriableError, match="away or busy"):
        open_object_store(f"s3://{bucket.name}", options=options)


def test_an_object_that_goes_away_while_it_is_read_is_missing(store: ObjectStore, bucket: Bucket) -> None:
    name = store.put(BytesContent(bytes(100))).sha256
    content = store.content(name)
    bucket.client.delete_object(Bucket=bucket.name, Key=f"luu-tru/sha256/{name[:2]}/{name}")
    with content.open() as stream, pytest.raises(FileNotFoundError):
        stream.read()
