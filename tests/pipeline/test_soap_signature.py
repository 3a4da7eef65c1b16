"""The signature in the envelope of a SOAP message, which lies beside its attachments and does not cover them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from lxml import etree

from archive.objects import ObjectStore
from connectors.operations.edxml import parse_edxml
from connectors.operations.package import DocumentPackage, Organ, PackageFile
from connectors.operations.writer_v1 import SOAP, write_document_v1
from mappings.config import load_sources
from pipeline.batch_lines import ReceivedLine, VerifiedLine
from pipeline.judge import judge
from pipeline.receive import receive_one
from schemas.record import BytesContent, Listing
from tests.signatures.pki_factory import DAY0, Pki, make_pki
from tests.signatures.test_xml_verdicts import build

_PACKAGE = DocumentPackage(
    sender=Organ("000.00.12.H10", "Sở Y tế"),
    recipients=(Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),),
    document_id=None,
    code_number="160",
    code_notation="BC-SYT",
    promulgation_date=date(2014, 3, 14),
    subject="Báo cáo công tác phòng, chống dịch bệnh",
    type_name="Báo cáo",
    files=(PackageFile("bao cao.pdf", b"%PDF-1.4\n%%EOF\n"),),
)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return make_pki()


def _signed(pki: Pki, package: DocumentPackage) -> bytes:
    def sign(envelope: bytes) -> bytes:
        root = etree.fromstring(envelope)
        build(root, pki.seal, place=root.find(f"{{{SOAP}}}Header"))
        return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))

    return write_document_v1(package, sign=sign)


def _own_verdict(data: bytes, pki: Pki, folder: Path) -> dict[str, object]:
    """What the archive says of the message's own signature."""
    objects = ObjectStore(folder)
    record = parse_edxml(Listing("k", "r", "l"), BytesContent(data), {})
    line = receive_one(record, load_sources()["dieu_hanh"], objects)
    assert isinstance(line, ReceivedLine), line
    assert line.signed_container
    (verified,) = judge([line], objects, pki.trust(), DAY0 + timedelta(hours=1))
    assert isinstance(verified, VerifiedLine)
    manifest = json.load(objects.open(verified.manifest_sha256))
    (own,) = [item["verdict"] for item in manifest["verdicts"] if item["attachment"] is None]
    return dict(own)


def test_an_envelope_alone_is_judged_as_a_whole(pki: Pki, tmp_path: Path) -> None:
    verdict = _own_verdict(_signed(pki, replace(_PACKAGE, files=())), pki, tmp_path)
    assert (verdict["indication"], verdict["coverage"]) == ("TOTAL_PASSED", "WHOLE_FILE")


def test_an_envelope_with_attachments_beside_it_never_passes_for_them(pki: Pki, tmp_path: Path) -> None:
    verdict = _own_verdict(_signed(pki, _PACKAGE), pki, tmp_path)
    assert (verdict["indication"], verdict["sub_indication"]) == ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")
    assert (verdict["integrity"], verdict["coverage"]) == ("INTACT", "PARTIAL")


def test_a_changed_envelope_fails(pki: Pki, tmp_path: Path) -> None:
    changed = _signed(pki, _PACKAGE).replace(b">160<", b">161<")
    verdict = _own_verdict(changed, pki, tmp_path)
    assert (verdict["indication"], verdict["sub_indication"]) == ("TOTAL_FAILED", "HASH_FAILURE")
