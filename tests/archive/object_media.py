"""Media for stores of objects: a folder, and a bucket of a server that really listens."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class Bucket:
    """A bucket: its URL, the options that reach it, and a client to look into it from outside."""

    name: str
    endpoint: str
    client: object

    @property
    def options(self) -> Mapping[str, object]:
        client = {"endpoint_url": self.endpoint, "region_name": "us-east-1"}
        return {"key": "ai", "secret": "bi-mat", "client_kwargs": client}

    def listing(self, prefix: str = "") -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", ())]

    def overwrite(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()


class Zeros:
    """Content that is made while it is read: a large file that nobody holds."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = size

    def open(self) -> Zeros:
        return Zeros(self.size)

    def read(self, count: int) -> bytes:
        count = min(count, self._left)
        self._left -= count
        return bytes(count)

    def __enter__(self) -> Zeros:
        return self

    def __exit__(self, *_: object) -> None: ...


@contextmanager
def s3_server() -> Iterator[str]:
    """The endpoint of a server that speaks S3."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_bucket(endpoint: str, name: str) -> Bucket:
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="ai", aws_secret_access_key="bi-mat",
        region_name="us-east-1",
    )  # fmt: skip
    client.create_bucket(Bucket=name)
    return Bucket(name, endpoint, client)
