from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import cms, core
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from benchmarks.signature_samples import lta_pdf
from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.certificate import role_of
from signatures.sniffing import Engine, sniff
from signatures.verdict import Indication, SignerRole
from tests.signatures.cms_factory import sign
from tests.signatures.pki_factory import DAY0, Pki, day, issue, minimal_pdf
from tests.signatures.xml_factory import XADES, signed, stamped


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE2 (Word, Excel, PowerPoint 97-2003)"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        ("Kính gửi: Ban Thường vụ".encode(), "text"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"", "an unknown binary format"),
        (b"\x00\x01\x02", "an unknown binary format"),
    ],
)
def test_formats_without_an_engine_are_unsupported_and_say_so(data: bytes, sentence: str) -> None:
    verdicts = verify(SignedFile("van-ban.pdf", BytesContent(data)), TrustStore(), DAY0)
    assert [(item.indication, item.path, item.messages) for item in verdicts] == [
        (Indication.UNSUPPORTED, "", (f"{sentence}: signatures in this format are not judged",))
    ]


def test_content_that_cannot_be_opened_is_an_error() -> None:
    class Gone:
        size = 3

        def open(self) -> BytesContent:
            raise FileNotFoundError("vanished")

    verdict = verify(SignedFile("a.pdf", Gone()), TrustStore(), DAY0)[0]  # type: ignore[arg-type]
    assert verdict.indication is Indication.ERROR
    assert verdict.messages == ("OTHER engine raised FileNotFoundError: vanished",)


def test_a_validation_time_without_zone_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="aware"):
        verify(SignedFile("a", BytesContent(b"")), TrustStore(), datetime(2024, 3, 1))  # noqa: DTZ001


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        [
            b"%PDF-1.7\n",
            b"<?xml version='1.0'?><a>",
            b"0\x82\x01\x00\x06\x09*\x86H\x86\xf7\r\x01\x07\x02",
            b"",
        ]
    ),
    st.binary(max_size=200),
)
def test_no_bytes_raise_or_pass(head: bytes, tail: bytes) -> None:
    file = SignedFile("a", BytesContent(head + tail))
    for integrity_only in (True, False):
        verdicts = verify(file, TrustStore(), DAY0, integrity_only=integrity_only)
        assert verdicts
        assert all(item.indication is not Indication.TOTAL_PASSED for item in verdicts)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 10_000_000), value=st.integers(1, 255))
def test_no_single_changed_byte_of_a_signed_pdf_passes_unless_it_is_the_padding(
    signed_pdf: bytes, pki: Pki, position: int, value: int
) -> None:
    position %= len(signed_pdf)
    changed = bytearray(signed_pdf)
    changed[position] ^= value
    start = signed_pdf.index(b"/Contents <") + 11
    end = signed_pdf.index(b">", start)
    if start <= position < end:
        return  # the signature's own bytes: unsigned attributes and padding may differ without meaning
    verdicts = verify(SignedFile("a.pdf", BytesContent(bytes(changed))), pki.trust(), DAY0)
    assert all(item.indication is not Indication.TOTAL_PASSED for item in verdicts)


@pytest.mark.parametrize(
    ("data", "engine"),
    [
        (b"junk before\n%PDF-1.4", Engine.PDF),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", Engine.XML),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), Engine.XML),
        (b"\n  <edXML/>", Engine.XML),
        (b"1212<?xml version='1.0'?><edXML/>", Engine.XML),
        (b"-----BEGIN PKCS7-----\n", Engine.CMS),
        (b"PK\x03\x04", Engine.ZIP),
        (b"PK\x05\x06", Engine.ZIP),
        (b"<html><body>", Engine.NONE),
        (b"MIME-Version: 1.0\n", Engine.MIME),
        (b"Received: by a\r\n\tfor b\r\nFrom: a@b.test\r\n\r\n", Engine.MIME),
        (b"Note: no header of a mail\n", Engine.NONE),
    ],
)
def test_the_engine_is_told_by_magic(data: bytes, engine: Engine) -> None:
    assert sniff(data) is engine


CN, ORG, UNIT = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME


@pytest.mark.parametrize(
    ("names", "role"),
    [
        ({CN: "Lê Thị Thử", ORG: "Tỉnh ủy Thử Nghiệm"}, SignerRole.PERSON),
        ({CN: "Lê Thị Thử", NameOID.SERIAL_NUMBER: "CMND:000000000"}, SignerRole.PERSON),
        ({CN: "Lê Thị Thử", NameOID.USER_ID: "CCCD:000000000000"}, SignerRole.PERSON),
        ({CN: "Lê Thị Thử", NameOID.GIVEN_NAME: "Thử", NameOID.SURNAME: "Lê"}, SignerRole.PERSON),
        ({CN: "Tỉnh ủy Thử Nghiệm", ORG: "TỈNH ỦY  Thử Nghiệm"}, SignerRole.ORGAN),
        ({ORG: "Tỉnh ủy Thử Nghiệm", UNIT: "Văn phòng"}, SignerRole.ORGAN),
        ({CN: "Con dấu số 1", ORG: "Sở Thử Nghiệm", NameOID.USER_ID: "MST:0000000000"}, SignerRole.ORGAN),
        ({CN: "Máy chủ thử"}, SignerRole.UNKNOWN),
    ],
)
def test_person_and_seal_are_told_from_the_subject(
    pki: Pki, names: dict[object, str], role: SignerRole
) -> None:
    holder = issue(names, pki.ca, day(-1), day(1))  # type: ignore[arg-type]
    assert role_of(holder.asn1) is role


def test_integrity_only_leaves_trust_out(signed_pdf: bytes) -> None:
    verdict = verify(
        SignedFile("a.pdf", BytesContent(signed_pdf)),
        TrustStore(),
        datetime(2099, 1, 1, tzinfo=UTC),
        integrity_only=True,
    )[0]
    assert (verdict.indication, verdict.revocation, verdict.trust_epoch) == (
        Indication.TOTAL_PASSED,
        "not_checked",
        "",
    )


@pytest.mark.parametrize(
    ("kind", "seen", "evaluated"),
    [
        ("plain PDF", "B-B", "B-B"),
        ("stamped PDF", "B-T", "B-T"),
        ("PDF with a document time-stamp", "B-T", "B-T"),
        ("archived PDF", "B-LTA", "B-LTA"),
        ("XMLDSig", "", ""),
        ("XAdES", "B-B", "B-B"),
        ("XAdES with time-stamp", "B-T", "B-T"),
        ("XAdES with archive time-stamp", "B-LTA", "B-T"),
        ("CMS", "B-B", "B-B"),
        ("CMS with time-stamp", "B-T", "B-T"),
        ("CMS with archive time-stamp", "B-LTA", "B-T"),
    ],
)
def test_the_level_is_told_by_what_is_there(
    pki: Pki, signed_pdf: bytes, kind: str, seen: str, evaluated: str
) -> None:
    file = SignedFile("a", BytesContent(_of_level(pki, signed_pdf, kind)))
    first = verify(file, pki.trust(), day(0.5))[0]
    assert first.indication is Indication.TOTAL_PASSED
    assert (first.level, first.level_evaluated) == (seen, evaluated)


def _of_level(pki: Pki, signed_pdf: bytes, kind: str) -> bytes:
    if kind == "PDF with a document time-stamp":
        return pki.stamp_pdf(signed_pdf, day(0.2))
    if "PDF" in kind:
        stamped_pdf = pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0.1)))
        return {"plain PDF": signed_pdf, "stamped PDF": stamped_pdf}.get(kind) or lta_pdf(pki, minimal_pdf())
    if kind.startswith("X"):
        root = signed(pki, xades=kind != "XMLDSig")
        if "stamp" in kind:
            stamped(root, pki, day(0.1))
        for place in root.iter(f"{{{XADES}}}UnsignedSignatureProperties"):
            if "archive" in kind:
                etree.SubElement(place, "{http://uri.etsi.org/01903/v1.4.1#}ArchiveTimeStamp")
        return bytes(etree.tostring(root))
    info = sign(pki, pki.person, detached=False, stamp=day(0.1) if "stamp" in kind else None)
    if "archive" in kind:
        archive = cms.CMSAttribute({"type": "0.4.0.1733.2.4", "values": [core.OctetString(b"a")]})
        info["content"]["signer_infos"][0]["unsigned_attrs"].append(archive)
    return bytes(info.dump(force=True))
