"""``lienthong keys``, and the object store that the settings name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.encryption_keys import new_ring, write_ring
from archive.objects import ObjectStore
from pipeline.cli import build
from pipeline.object_store import configured_object_store
from pipeline.settings import load_settings
from schemas.errors import ConfigurationError
from tests.archive.object_media import make_bucket, s3_server


def run(*arguments: str) -> tuple[int, dict]:
    result = CliRunner().invoke(build(), ["keys", *arguments, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout) if result.stdout else {}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, a place for the ring, and one for the sheet."""
    for name in ("home", "etc", "safe"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIENTHONG_KEYRING", str(tmp_path / "etc" / "keyring.json"))
    monkeypatch.delenv("LIENTHONG_OBJECTS", raising=False)
    return tmp_path


def store() -> ObjectStore:
    return configured_object_store(load_settings())


def test_encryption_from_turning_on_to_losing_the_machine(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIENTHONG_KEYRING")
    monkeypatch.setattr("pipeline.settings.default_keyring", lambda: place / "etc" / "keyring.json")
    old = store().put_bytes(b"truoc khi ma hoa").sha256
    assert run("list") == (0, {"keyring": None, "keys": []})
    assert run("check") == (0, {"keyring": None, "keys": []})

    sheet = place / "safe" / "recovery.txt"
    status, made = run("new", "--recovery", str(sheet))
    assert (status, len(made["keys"])) == (0, 1)
    first = store().put_bytes(b"khoa thu nhat").sha256
    status, rotated = run("rotate", "--machine")
    assert rotated["keys"][0]["id"] == made["for_new_objects"] != rotated["for_new_objects"]
    second = store().put_bytes(b"khoa thu hai").sha256
    assert run("check", "--recovery", str(sheet)) == (
        0,
        {"keyring": made["keyring"], "work": True, "kept": True, "complete": True, "recoverable": True},
    )

    (place / "etc" / "keyring.json").unlink()
    with pytest.raises(ConfigurationError, match="encrypts, and there is no key ring"):
        store().put_bytes(b"mat khoa")
    with pytest.raises(ConfigurationError, match="was encrypted before, with another key ring"):
        run("new", "--recovery", str(place / "safe" / "other.txt"))
    assert not (place / "etc" / "keyring.json").exists()
    status, back = run("recover", "--recovery", str(sheet))
    assert [key["id"] for key in back["keys"]] == [key["id"] for key in rotated["keys"]]
    for name, data in ((old, b"truoc khi ma hoa"), (first, b"khoa thu nhat"), (second, b"khoa thu hai")):
        with store().open(name) as stream:
            assert stream.read() == data


def test_a_ring_that_was_named_and_is_missing_is_an_error(place: Path) -> None:
    with pytest.raises(ConfigurationError, match="the key ring cannot be read"):
        store()


def test_a_ring_beside_the_data_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_KEYRING", str(place / "home" / "keyring.json"))
    with pytest.raises(ConfigurationError, match="would lie with the data that it opens"):
        run("new", "--recovery", str(place / "safe" / "recovery.txt"))
    assert list((place / "safe").iterdir()) == []


def test_a_second_ring_is_refused(place: Path) -> None:
    run("new", "--recovery", str(place / "safe" / "mot.txt"))
    before = (place / "etc" / "keyring.json").read_bytes()
    for command in ("new", "recover"):
        with pytest.raises(ConfigurationError, match="there is a key ring already"):
            run(command, "--recovery", str(place / "safe" / "hai.txt"))
    assert (place / "etc" / "keyring.json").read_bytes() == before


def test_a_failed_check_is_the_exit_status(place: Path) -> None:
    run("new", "--recovery", str(place / "safe" / "mot.txt"))
    new_ring(place / "safe" / "hai.txt")
    status, answers = run("check", "--recovery", str(place / "safe" / "hai.txt"))
    assert (status, answers["recoverable"]) == (1, False)


def test_copies_that_the_store_lost_are_told_and_put_back_by_a_command(place: Path) -> None:
    run("new", "--recovery", str(place / "safe" / "mot.txt"))
    name = store().put_bytes(b"da ma hoa").sha256
    for copy in (place / "home" / "objects" / "keys").iterdir():
        copy.unlink()
    sheet = str(place / "safe" / "mot.txt")
    status, answers = run("check", "--recovery", sheet)
    assert (status, answers["work"], answers["kept"], answers["recoverable"]) == (1, True, False, False)
    with pytest.raises(ConfigurationError, match="does not know this key ring"):
        store()
    assert run("enroll")[1]["foreign"] == []
    status, answers = run("check", "--recovery", sheet)
    assert (status, answers["kept"], answers["recoverable"]) == (0, True, True)
    with store().open(name) as stream:
        assert stream.read() == b"da ma hoa"


def test_the_ring_of_another_archive_leaves_nothing_in_a_store_until_it_is_enrolled(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("new", "--recovery", str(place / "safe" / "mot.txt"))
    kept = place / "home" / "objects" / "keys"
    before = sorted(path.name for path in kept.iterdir())
    own = run("list")[1]["for_new_objects"]
    other = place / "etc" / "other.json"
    write_ring(new_ring(place / "safe" / "hai.txt"), other)
    monkeypatch.setenv("LIENTHONG_KEYRING", str(other))
    with pytest.raises(ConfigurationError, match="does not know this key ring"):
        store()
    assert run("check")[1]["complete"] is False
    assert sorted(path.name for path in kept.iterdir()) == before
    assert run("enroll")[1]["foreign"] == [own]
    assert len(list(kept.iterdir())) == 2
    store().put_bytes(b"bang khoa moi")


def test_people_are_told_what_to_do_with_the_sheet(place: Path) -> None:
    sheet = place / "safe" / "recovery.txt"
    result = CliRunner().invoke(build(), ["keys", "new", "--recovery", str(sheet)])
    assert "In tệp" in result.stdout
    assert "cất vào két" in result.stdout
    listed = CliRunner().invoke(build(), ["keys", "list"]).stdout
    assert "tệp mới" in listed


def test_a_bucket_by_the_environment_and_by_an_airflow_connection(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIENTHONG_KEYRING")
    monkeypatch.setattr("pipeline.settings.default_keyring", lambda: place / "nowhere")
    with s3_server() as endpoint:
        bucket = make_bucket(endpoint, "kho-van-ban")
        monkeypatch.setenv("LIENTHONG_OBJECTS", "s3://kho_s3@kho-van-ban/luu-tru")
        with pytest.raises(ConfigurationError, match="no connection 'kho_s3'"):
            store()
        extra = {"endpoint_url": endpoint, "region_name": "us-east-1"}
        monkeypatch.setenv(
            "AIRFLOW_CONN_KHO_S3",
            json.dumps({"conn_type": "aws", "login": "ai", "password": "bi-mat", "extra": extra}),
        )
        name = store().put_bytes(b"qua ket noi").sha256
        monkeypatch.setenv("LIENTHONG_OBJECTS", "s3://kho-van-ban/luu-tru")
        for key, value in {
            "AWS_ACCESS_KEY_ID": "ai",
            "AWS_SECRET_ACCESS_KEY": "bi-mat",
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(key, value)
        assert list(store()) == [name]
        assert f"luu-tru/sha256/{name[:2]}/{name}" in bucket.listing()
