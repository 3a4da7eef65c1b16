"""What keeps an archive whole, tried on the stores that a folder's tests do not see: a bucket, and encryption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from archive.embedded import EmbeddedServer
from archive.loader import Batch
from archive.runs import account, record_listed, start_run
from pipeline.cli import build
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from schemas.record import Window
from tests.archive.object_media import Bucket, make_bucket, s3_server
from tests.archive.office_records import archived, passed, quarantined

pytestmark = pytest.mark.postgres
SOURCE = "notes_van_ban"
SECRET_WORDS = "Phụ lục số liệu".encode()


@dataclass(frozen=True)
class Installation:
    """An installation whose objects are in a bucket or a folder; ``encrypted`` or not.

    Attributes:
        new: turns to another empty installation of the same kind: home, database and store are new, the key ring is
            the same.
        stored: the bytes that lie in the store. damage: changes or removes those of an object.
    """

    encrypted: bool
    new: Callable[[str], None]
    stored: Callable[[], dict[str, bytes]]
    damage: Callable[[str, bytes | None], None]


def run(*arguments: str) -> tuple[int, dict]:
    done = CliRunner().invoke(build(), [*arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


def found(words: str) -> list[str]:
    return [hit["source_key"] for hit in run("search", words)[1]["hits"]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def database(postgres_server: EmbeddedServer) -> Iterator[Callable[[], str]]:
    """URLs of empty databases, which are dropped afterwards."""
    made: list[str] = []

    def make() -> str:
        made.append(f"elsewhere_{uuid4().hex[:12]}")
        postgres_server.ensure_database(made[-1])
        return postgres_server.url(made[-1])

    yield make
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def place(
    request: pytest.FixtureRequest,
    database: Callable[[], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Installation:
    """An empty one, which the environment names; its parameter: ``bucket`` or ``folder``, and ``encrypted``."""
    medium, _, encryption = request.param.partition(" ")
    objects = tmp_path / "objects"
    bucket: Bucket | None = None
    if medium == "bucket":
        url = request.getfixturevalue("endpoint")
        bucket = make_bucket(url, f"kho-{uuid4().hex}")
        for name, value in {
            "AWS_ACCESS_KEY_ID": "ai",
            "AWS_SECRET_ACCESS_KEY": "bi-mat",
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
    if encryption:
        monkeypatch.setenv("LIENTHONG_KEYRING", str(tmp_path / "etc" / "keyring.json"))

    def new(name: str) -> None:
        monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / name))
        monkeypatch.setenv("LIENTHONG_DATABASE_URL", database())
        monkeypatch.setenv(
            "LIENTHONG_OBJECTS", f"s3://{bucket.name}/{name}" if bucket else str(objects / name)
        )

    def stored() -> dict[str, bytes]:
        if bucket is not None:
            return {key: bucket.read(key) for key in bucket.listing()}
        return {str(path): path.read_bytes() for path in objects.rglob("*") if path.is_file()}

    def damage(name: str, data: bytes | None) -> None:
        [key] = [key for key in stored() if f"/kho/sha256/{name[:2]}/{name}" in f"/{key}"]
        if bucket is not None and data is not None:
            bucket.overwrite(key, data)
        elif bucket is not None:
            bucket.client.delete_object(Bucket=bucket.name, Key=key)  # type: ignore[attr-defined]
        else:
            Path(key).unlink()
            if data is not None:
                Path(key).write_bytes(data)

    objects.mkdir()
    new("kho")
    if encryption:
        (tmp_path / "etc").mkdir()
        assert run("keys", "new", "--recovery", str(tmp_path / "ket.txt"))[0] == 0
    return Installation(bool(encryption), new, stored, damage)


@pytest.fixture
def file_name(place: Installation) -> str:
    """A night with four records, anchored; the name of the object that is a document's file."""
    stores = open_stores(load_settings())
    run_id = start_run(stores.engine, SOURCE, "sync", Window(), "một đêm")
    record_listed(stores.engine, run_id, 4, 0, 1)
    given = {"source": SOURCE}
    records = [
        archived(stores.objects, "A1", files={"a.pdf": SECRET_WORDS}, verdicts=(passed(),), **given),
        archived(stores.objects, "A2", number="161", file_code="01", **given),
        archived(stores.objects, "A2", number="161", revision="2", subject="Kết luận đã sửa", **given),
        quarantined("Q1"),
    ]
    stores.objects.put_bytes(b"Q1")  # what could not be read
    stores.archive.load(Batch(SOURCE, run_id, 1), records)
    account(stores.engine, run_id)
    stores.engine.dispose()
    assert run("index")[1]["missing"] == {"documents": 0, "files": 0}
    assert run("anchor")[0] == 0
    return next(
        file.sha256
        for record in records[:1]
        for file in record.processed.document.attachments  # type: ignore[union-attr]
    )


@pytest.mark.parametrize("place", ["bucket", "folder encrypted"], indirect=True)
def test_a_drill_on_every_store(place: Installation, file_name: str, tmp_path: Path) -> None:
    code, audited = run("audit", "--full")
    assert (code, audited["clean"], audited["fixity"]["unchecked"]) == (0, True, 0)
    assert audited["fixity"]["checked"] > 8
    assert any(SECRET_WORDS in data for data in place.stored().values()) is not place.encrypted

    code, again = run("rebuild")
    assert [table["name"] for table in again["tables"] if not table["equal"]] == []
    assert (code, again["equal"], again["documents"], again["troubles"]) == (0, True, 3, [])

    code, made = run("backup", str(tmp_path / "sao-luu"))
    assert (code, made["backup"]["missing"], made["copied"]) == (0, [], made["backup"]["objects"])
    kept = [path.read_bytes() for path in (tmp_path / "sao-luu" / "objects").rglob("*") if path.is_file()]
    assert any(SECRET_WORDS in data for data in kept) is not place.encrypted
    time.sleep(1)  # a backup is named by its second
    code, made = run("backup", str(tmp_path / "sao-luu"), "--keep", "1")
    assert (code, made["copied"] < 10) == (0, True)
    code, exported = run("export-archive", str(tmp_path / "goi"))
    assert code == 0

    place.new("phuc-hoi")
    code, restored = run("restore", str(tmp_path / "sao-luu"))
    assert (code, restored["audit"]["clean"]) == (0, True)
    assert found("Kết luận đã sửa") == ["A2"]
    code, again = run("rebuild")
    assert (code, again["equal"]) == (0, True)
    assert run("audit", "--full")[0] == 0

    place.new("nhap")
    code, imported = run("import-archive", str(tmp_path / "goi"))
    assert (code, imported["root"], imported["already_here"]) == (0, exported["root"], False)
    assert run("audit", "--full")[0] == 0


@pytest.mark.parametrize("place", ["bucket encrypted"], indirect=True)
def test_a_database_that_is_gone_is_made_again_from_the_store_and_goes_on(
    place: Installation,
    file_name: str,
    database: Callable[[], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = database()
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "may-moi"))
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/gone")
    code, made = run("rebuild", "--into", url)
    assert (code, made["equal"], made["documents"], made["anchors"]) == (0, True, 3, 1)
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", url)
    assert run("index")[1]["documents"] == 2
    assert run("audit", "--full")[0] == 0
    assert found("Kết luận đã sửa") == ["A2"]


@pytest.mark.parametrize("place", ["bucket encrypted"], indirect=True)
def test_damage_is_found_told_and_mended_from_the_backup(
    place: Installation, file_name: str, tmp_path: Path
) -> None:
    assert run("backup", str(tmp_path / "sao-luu"))[0] == 0
    place.damage(file_name, b"khong phai tep nay")
    code, audited = run("audit", "--full")
    assert (code, file_name in json.dumps(audited["problems"])) == (4, True)
    time.sleep(1)  # a backup is named by its second
    code, made = run("backup", str(tmp_path / "sao-luu"))
    assert (code, made["backup"]["missing"]) == (0, []), "the earlier backup has it"
    place.damage(file_name, None)
    code, audited = run("audit", "--full")
    assert (code, file_name in json.dumps(audited["problems"])) == (4, True)
    code, again = run("rebuild")
    assert (code, [trouble["where"] for trouble in again["troubles"] if file_name in str(trouble)] != []) == (
        1,
        True,
    )
    place.new("phuc-hoi")
    code, restored = run("restore", str(tmp_path / "sao-luu"))
    assert (code, restored["audit"]["clean"]) == (0, True)
