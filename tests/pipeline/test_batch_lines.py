from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from pipeline.batch_lines import (
    PlannedLine,
    QuarantinedLine,
    ReceivedLine,
    VerifiedLine,
    WithheldLine,
    read_planned,
    read_stage,
    write_lines,
)
from schemas.document import OfficialDocument

RECEIVED = ReceivedLine(
    document=OfficialDocument(
        source="thu",
        source_key="A1",
        revision="1",
        subject="Về việc bảo đảm an toàn\nhồ, đập mùa mưa lũ \u2028",
        extra={"Ghi chú": ("một", "", "ba")},
    ),
    original_sha256="a" * 64,
    original_type="application/xml",
    original_size=12,
    signed_container=False,
    context={"replicaid": "C1257A"},
    changed_at=datetime(2009, 3, 2, 8, tzinfo=UTC),
)


def test_every_kind_of_line_comes_back_as_it_was(tmp_path):
    lines = [
        RECEIVED,
        VerifiedLine(manifest_sha256="b" * 64),
        QuarantinedLine(key="k", revision="1", stage="read", reason="xml_malformed", message="cụt"),
        WithheldLine(key="k", revision="1", level="mat", rule="field"),
    ]
    path = tmp_path / "batch.jsonl"
    assert write_lines(path, lines) == 4
    assert list(read_stage(path)) == lines


def test_planned_lines_come_back_as_listings(tmp_path):
    path = tmp_path / "batch.jsonl"
    line = PlannedLine(key="k", revision="r", locator='{"file": "a"}', changed_at=RECEIVED.changed_at)
    write_lines(path, [line])
    assert [found.listing() for found in read_planned(path)] == [line.listing()]


def test_an_interrupted_stage_leaves_no_file_under_its_name(tmp_path):
    def interrupted():
        yield VerifiedLine(manifest_sha256="b" * 64)
        raise KeyboardInterrupt

    path = tmp_path / "batch.jsonl"
    with pytest.raises(KeyboardInterrupt):
        write_lines(path, interrupted())
    assert not path.exists()


def test_a_line_of_no_known_kind_is_refused(tmp_path):
    path = tmp_path / "batch.jsonl"
    path.write_text('{"state": "archived", "key": "k"}\n', encoding="utf-8")
    with pytest.raises(ValidationError):
        list(read_stage(path))
