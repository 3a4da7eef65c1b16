"""A drop folder with the export agent's manifest: what it promised is there unchanged, or is reported."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from connectors.lotus_notes.folder import DxlFolder
from schemas.record import SourceRecord, Unreadable, Window
from tests.connectors.dxl_builder import REPLICA, database, document, unid

HEAD = f"LIENTHONG\t1\tmanifest\t{REPLICA}\t20261127T010203,00Z"


def _drop(
    folder: Path, numbers: tuple[int, ...] = (1, 2), skipped: tuple[str, ...] = (), digest: bool = True
) -> Path:
    """One round of the agent, as it lies in the drop folder ``folder``."""
    place = folder / "20261127T010203Z"
    place.mkdir()
    rows = []
    for number in numbers:
        data = database(document(number)).encode()
        (place / f"0000000{number}.dxl").write_bytes(data)
        rows.append(_row(number, data, digest))
    rows += [f"-\t-\t-\t{unid(9)}\t9\tskipped\t{reason}" for reason in skipped]
    _write(place, [HEAD, *rows, f"END\t{len(numbers)}\t{len(skipped)}"])
    return place


def _row(number: int, data: bytes, digest: bool = True) -> str:
    value = sha256(data).hexdigest() if digest else "-"
    return f"0000000{number}.dxl\t{len(data)}\t{value}\t{unid(number)}\t{number}\tok\t0"


def _write(place: Path, lines: list[str]) -> None:
    (place / "manifest.tsv").write_bytes("".join(f"{line}\r\n" for line in lines).encode())


def _read(folder: Path) -> list[tuple[str, str]]:
    """What each listing comes to: ``("", key)`` for a record, reason and message for a loss."""
    source = DxlFolder("notes", folder)
    listings = list(source.inventory(Window()))
    assert listings == list(source.inventory(Window()))
    told = []
    for answer in source.fetch(listings):
        if isinstance(answer, SourceRecord):
            told.append(("", answer.listing.key))
        else:
            told.append((answer.reason, answer.message))
    return told


def test_what_the_manifest_promised_is_read_and_nothing_is_reported(tmp_path: Path) -> None:
    _drop(tmp_path)

    assert _read(tmp_path) == [("", f"{REPLICA}:{unid(1)}"), ("", f"{REPLICA}:{unid(2)}")]


def test_a_missing_file_is_reported_with_the_line_that_promised_it(tmp_path: Path) -> None:
    place = _drop(tmp_path)
    (place / "00000001.dxl").unlink()
    source = DxlFolder("notes", tmp_path)

    (loss, record) = source.fetch(list(source.inventory(Window())))

    assert isinstance(record, SourceRecord)
    assert isinstance(loss, Unreadable)
    assert (loss.reason, loss.where) == ("export_missing", "20261127T010203Z/manifest.tsv, line 2, byte 59")
    assert f"00000001.dxl (document {unid(1)})" in loss.message
    assert loss.original is not None
    assert loss.original.open().read() == _row(1, database(document(1)).encode()).encode()


@pytest.mark.parametrize("digest", [True, False])
def test_an_altered_file_is_one_loss_and_none_of_its_records_is_believed(
    tmp_path: Path, digest: bool
) -> None:
    place = _drop(tmp_path, digest=digest)
    altered = database(document(1), document(3)).encode()
    (place / "00000001.dxl").write_bytes(altered)
    source = DxlFolder("notes", tmp_path)

    (loss, record) = source.fetch(list(source.inventory(Window())))

    assert isinstance(record, SourceRecord)
    assert record.listing.key == f"{REPLICA}:{unid(2)}"
    assert isinstance(loss, Unreadable)
    assert loss.reason == "export_altered"
    assert loss.original is not None
    assert loss.original.open().read() == altered
    assert loss.listing.key == f"unreadable:{sha256(altered).hexdigest()}"


def test_another_content_of_the_same_size_is_seen_by_its_digest(tmp_path: Path) -> None:
    place = _drop(tmp_path, numbers=(1,))
    data = (place / "00000001.dxl").read_bytes()
    (place / "00000001.dxl").write_bytes(data.replace(b"VanBanDen", b"VanBanXen"))

    assert [reason for reason, _ in _read(tmp_path)] == ["export_altered"]


def test_a_document_that_the_agent_left_out_is_counted(tmp_path: Path) -> None:
    _drop(tmp_path, numbers=(1,), skipped=("the server did not survive the export of this document",))

    assert _read(tmp_path)[0] == (
        "export_skipped",
        f"the agent left document {unid(9)} out: the server did not survive the export of this document",
    )


def test_a_file_written_twice_is_what_its_later_row_says(tmp_path: Path) -> None:
    place = _drop(tmp_path, numbers=(1,))
    data = (place / "00000001.dxl").read_bytes()
    _write(place, [HEAD, _row(1, b"an earlier state"), _row(1, data), "END\t2\t0"])

    assert _read(tmp_path) == [("", f"{REPLICA}:{unid(1)}")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "does not begin with LIENTHONG"),
        ([HEAD.replace("\t1\t", "\t2\t"), "END\t0\t0"], "of version 2"),
        ([HEAD], "does not end with END, 0 files"),
        ([HEAD, "END\t3\t0"], "does not end with END, 0 files"),
        ([HEAD, "../secret.dxl\t1\t-\tA\t1\tok\t0", "END\t1\t0"], "line 2 of the manifest is neither"),
        ([HEAD, "a.dxl\tmany\t-\tA\t1\tok\t0", "END\t1\t0"], "line 2 of the manifest is neither"),
    ],
)
def test_a_manifest_that_is_no_whole_one_is_reported_and_the_files_are_read(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    place = _drop(tmp_path, numbers=(1,))
    _write(place, lines)

    (loss, record) = _read(tmp_path)

    assert record == ("", f"{REPLICA}:{unid(1)}")
    assert loss[0] == "manifest_malformed"
    assert said in loss[1]


def test_a_folder_without_a_manifest_and_one_that_is_still_written_are_read_as_they_are(
    tmp_path: Path,
) -> None:
    place = _drop(tmp_path, numbers=(1,))
    (place / "manifest.tsv").rename(place / "manifest.part")
    (place / "00000002.dxl.part").write_bytes(b"<database")

    assert _read(tmp_path) == [("", f"{REPLICA}:{unid(1)}")]
