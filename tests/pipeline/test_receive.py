"""What happens to one fetched record, and above all to one that must not be stored."""

from __future__ import annotations

import errno

import pytest

from archive.objects import ObjectStore
from mappings.config import load_sources
from pipeline import receive as stage
from pipeline.batch_lines import QuarantinedLine, ReceivedLine, WithheldLine
from schemas.errors import FatalError
from schemas.record import Attachment, BytesContent, Field, Listing, SourceRecord, Unreadable

LISTING = Listing("85256A38005F8BFC:0123456789ABCDEF0123456789ABCDEF", "1/2009", "{}")
ORIGINAL = "<document form='VanBanDen'>…</document>".encode()


@pytest.fixture(scope="module")
def config():
    return load_sources()["notes_van_ban"]


@pytest.fixture
def objects(tmp_path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def record(**fields: str) -> SourceRecord:
    said = {
        "SoKyHieu": "160-KL/TU",
        "NgayVanBan": "2009-03-02",
        "TrichYeu": "Kết luận về công tác phòng, chống lụt bão",
        **fields,
    }
    return SourceRecord(
        listing=LISTING,
        kind="document",
        form="VanBanDen",
        original=BytesContent(ORIGINAL),
        original_type="application/xml",
        fields=tuple(Field(name, "text", (value,)) for name, value in said.items()),
        attachments=(Attachment("160-KL-TU.txt", BytesContent(b"noi dung"), item="$FILE"),),
        context={"file": "a.dxl"},
    )


def test_a_good_record_is_stored_and_normalised(config, objects):
    line = stage.receive_one(record(), config, objects)
    assert isinstance(line, ReceivedLine)
    assert line.document.symbol == "160-KL/TU"
    assert line.context == {"file": "a.dxl"}
    [attachment] = line.document.attachments
    assert set(objects) == {line.original_sha256, attachment.sha256}
    with objects.open(line.original_sha256) as stream:
        assert stream.read() == ORIGINAL


def test_a_secret_is_withheld_before_a_byte_is_stored(config, objects):
    line = stage.receive_one(record(DoMat="Tối mật"), config, objects)
    assert isinstance(line, WithheldLine)
    assert line.level == "toi_mat"
    assert list(objects) == []


def test_an_unreadable_record_goes_through_the_gate_too(config, objects):
    secret = "<document><item name='DoMat'><text>Mật</text></item><item name='Tr".encode()
    unreadable = Unreadable(LISTING, "record_truncated", "cụt", "a.dxl, byte 10", BytesContent(secret))
    assert isinstance(stage.receive_one(unreadable, config, objects), WithheldLine)
    assert list(objects) == []


def test_an_unreadable_record_keeps_its_bytes_and_reason(config, objects):
    unreadable = Unreadable(
        LISTING, "record_truncated", "cụt", "a.dxl, byte 10", BytesContent(b"<document><item")
    )
    line = stage.receive_one(unreadable, config, objects)
    assert isinstance(line, QuarantinedLine)
    assert (line.stage, line.reason, line.message, line.where) == (
        "read",
        "record_truncated",
        "cụt",
        "a.dxl, byte 10",
    )
    with objects.open(line.original_sha256) as stream:
        assert stream.read() == b"<document><item"


def test_a_gate_that_cannot_judge_lets_nothing_pass_and_repeats_nothing(config, objects, monkeypatch):
    def broken(*_):
        raise ValueError("Kết luận về công tác phòng, chống lụt bão")

    monkeypatch.setattr(stage, "screen", broken)
    line = stage.receive_one(record(), config, objects)
    assert isinstance(line, QuarantinedLine)
    assert (line.stage, line.reason, line.original_sha256) == ("gate", "gate_failed", None)
    assert "lụt bão" not in line.message
    assert list(objects) == []


def test_a_record_without_what_its_mapping_requires_keeps_its_bytes(config, objects):
    line = stage.receive_one(record(TrichYeu=""), config, objects)
    assert isinstance(line, QuarantinedLine)
    assert (line.stage, line.reason) == ("map", "mapping_error")
    assert "notes_van_ban.yaml:" in line.where
    with objects.open(line.original_sha256) as stream:
        assert stream.read() == ORIGINAL


def test_a_fault_of_ours_costs_one_record_not_the_batch(config, objects, monkeypatch):
    def broken(*_):
        raise KeyError("x")

    monkeypatch.setattr(stage, "normalise", broken)
    line = stage.receive_one(record(), config, objects)
    assert isinstance(line, QuarantinedLine)
    assert (line.stage, line.reason, line.message) == ("map", "internal_error", "KeyError: 'x'")
    assert line.original_sha256 is not None


def test_a_full_disk_stops_the_run(config, objects, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ObjectStore, "put", full)
    with pytest.raises(OSError, match="No space"):
        stage.receive_one(record(), config, objects)


class SourceThatAnswers:
    name = "thu"

    def __init__(self, *answers):
        self.answers = answers

    def fetch(self, listings):
        return iter(self.answers)


@pytest.mark.parametrize("answers", [(), (Unreadable(Listing("k", "r", "l"), "x", "x"),)])
def test_a_source_that_answers_something_else_stops_the_run(config, objects, answers):
    with pytest.raises(FatalError, match="did not answer"):
        list(stage.receive(SourceThatAnswers(*answers), config, objects, [LISTING]))


def test_a_record_that_fails_after_its_attachments_were_stored_names_them(config, objects, monkeypatch):
    def failing(*_):
        raise ValueError("lạ")

    monkeypatch.setattr(stage, "normalise", failing)
    line = stage.receive_one(record(), config, objects)
    assert isinstance(line, QuarantinedLine)
    assert set(objects) == {line.original_sha256, *line.files}
    assert len(line.files) == 1
