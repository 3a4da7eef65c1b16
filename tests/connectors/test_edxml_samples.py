"""The shared sample packages, which are not part of the project: what each says, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.operations.edxml import parse_edxml
from connectors.operations.element_path import first_text
from connectors.operations.strict import breaches
from schemas.media_type import sniff
from schemas.record import FileContent, Listing, SourceRecord, chunks

pytestmark = pytest.mark.samples

_PLACEHOLDER = "signature_placeholder"
_NESTED_TEMPLATE = [
    "signature_subject_empty",
    "unbound_prefix",
    "unbound_prefix",
    "code_number_not_numeric",
    "timestamp_before_promulgation",
]
_STATUS = ["timestamp_before_promulgation"]


class _Sample(NamedTuple):
    name: str
    kind: str
    form: str
    organ: str
    files: list[tuple[str, int]]
    codes: list[str]
    attachment_codes: tuple[tuple[str, ...], ...] = ()
    refused: int = 0


_SAMPLES = [
    _Sample(
        "edoc.edxml",
        "document",
        "",
        "002.00.20.H13",
        [("text/plain", 32)],
        [
            "signature_subject_empty",
            "unbound_prefix",
            "unbound_prefix",
            "timestamp_before_promulgation",
            "invalid_base64",
        ],
        (("invalid_base64",),),
        4,
    ),
    _Sample(
        "edoc_new.edxml",
        "document",
        "0",
        "002.00.20.H13",
        [("application/vnd.edxml+xml", 388_347), ("application/pdf", 284_937)],
        [
            "junk_before_prolog",
            "signature_wrong_namespace",
            _PLACEHOLDER,
            "code_number_not_numeric",
            "impossible_date",
            "timestamp_before_promulgation",
            "name_ending_wrong",
            *_NESTED_TEMPLATE,
        ],
        (("name_ending_wrong",), ()),
        7,
    ),
    _Sample(
        "edoc_revocation.edxml",
        "document",
        "1",
        "000.00.00.G22",
        [("application/vnd.edxml+xml", 388_347), ("application/pdf", 284_937)],
        ["signature_wrong_namespace", _PLACEHOLDER, "name_ending_wrong", *_NESTED_TEMPLATE],
        (("name_ending_wrong",), ()),
        5,
    ),
    _Sample(
        "received_2025_zip_payload.edxml",
        "document",
        "",
        "vxp.saas.03",
        [("application/pdf", 11_229)],
        ["code_number_not_numeric", "null_organ", "organ_missing"],
        ((),),
        4,
    ),
    _Sample(
        "upload_one_file.edxml",
        "document",
        "0",
        "vxp.saas.03",
        [("text/plain", 11)] * 3,
        ["over_long", "code_outside_standard"],
        ((),) * 3,
        5,
    ),
    _Sample("status_acceptance_03.edxml", "status", "status", "000.00.00.H41", [], _STATUS),
    _Sample("status_cancellation_13.edxml", "status", "status", "000.00.00.G22", [], _STATUS),
    _Sample("status_finish_06.edxml", "status", "status", "000.00.00.H41", [], _STATUS),
    _Sample("status_rejection_02.edxml", "status", "status", "000.00.00.H41", [], _STATUS),
]


@pytest.mark.parametrize("sample", _SAMPLES, ids=lambda sample: sample.name)
def test_a_real_package_is_read_to_its_last_file_and_its_last_fault(samples: Path, sample: _Sample) -> None:
    path = samples / "edxml" / sample.name
    if not path.exists():
        pytest.skip(f"no sample {sample.name}")
    record = parse_edxml(Listing("k", "r", "l"), FileContent(path), {})
    assert isinstance(record, SourceRecord), record
    assert (record.kind, record.form, record.context["edxml_version"]) == (sample.kind, sample.form, "2")
    assert first_text(record.fields, "MessageHeader/From/OrganId") == sample.organ
    read = [b"".join(chunks(attachment.content)) for attachment in record.attachments]
    assert [(sniff(data), len(data)) for data in read] == sample.files
    assert tuple(attachment.defects for attachment in record.attachments) == sample.attachment_codes
    assert [defect.code for defect in record.defects] == sample.codes
    assert len(list(breaches(record))) == sample.refused
    assert b"".join(chunks(record.original)) == path.read_bytes()
