"""OOXML and OpenDocument signatures: what is whole and intact passes, and whatever a reader acts on and nobody signed
does not."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest

from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Coverage, Indication, SignerRole, Verdict
from tests.signatures.office_factory import (
    OFFICE,
    SIGNATURE_PART,
    WORD,
    Files,
    docx,
    odt,
    packed,
    relationships,
    sign_docx,
    sign_odt,
    with_types,
)
from tests.signatures.pki_factory import DAY0, Pki

DOCUMENT_SIGNATURES = "META-INF/documentsignatures.xml"
NOW = DAY0 + timedelta(hours=1)
PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
DOCUMENT_RELS = "word/_rels/document.xml.rels"


def judged(data: bytes, trust: TrustStore | None = None) -> list[Verdict]:
    file = SignedFile("van-ban.docx", BytesContent(data))
    return verify(file, trust or TrustStore(), NOW, integrity_only=trust is None)


def told(data: bytes) -> tuple[Indication, str]:
    """Indication and sub-indication of the only verdict."""
    (verdict,) = judged(data)
    return verdict.indication, verdict.sub_indication


def replaced(files: Files, name: str, old: bytes, new: bytes) -> Files:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new)}


@pytest.fixture(scope="module")
def signed(pki: Pki) -> Files:
    return sign_docx(docx(), pki.person)


def test_a_whole_intact_document_of_a_trusted_person_passes(pki: Pki, signed: Files) -> None:
    (verdict,) = judged(packed(signed), pki.trust())
    assert (verdict.indication, verdict.coverage, verdict.role) == (
        PASSED,
        Coverage.WHOLE_FILE,
        SignerRole.PERSON,
    )
    assert (verdict.format, verdict.path) == ("OOXML", f"/{SIGNATURE_PART}#idPackageSignature")
    assert verdict.claimed_time == DAY0


def test_without_trust_it_is_indeterminate(signed: Files) -> None:
    (verdict,) = judged(packed(signed), TrustStore())
    assert (verdict.indication, verdict.sub_indication) == (INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")


def test_person_and_seal_both_pass(pki: Pki, signed: Files) -> None:
    both = sign_docx(signed, pki.seal, part="_xmlsignatures/sig2.xml", leave_ids=("rId2", "rIdS"))
    assert [(item.indication, item.role) for item in judged(packed(both), pki.trust())] == [
        (PASSED, SignerRole.PERSON),
        (PASSED, SignerRole.ORGAN),
    ]


def added(files: Files, name: str, data: bytes, kind: str) -> Files:
    more = replaced(
        {**files, name: data}, DOCUMENT_RELS, b"</Relationships>",
        f'<Relationship Id="rId99" Type="{OFFICE}/{kind}" Target="/{name}"/></Relationships>'.encode(),
    )  # fmt: skip
    return with_types(more, {name: f"{WORD}.{kind}+xml"})


MANIPULATIONS: dict[str, tuple[Callable[[Files], Files], tuple[Indication, str]]] = {
    "text changed": (
        lambda files: replaced(files, "word/document.xml", b"160", b"161"), (FAILED, "HASH_FAILURE"),
    ),
    "picture changed": (
        lambda files: replaced(files, "word/media/dau.png", b"\x01\x02", b"\x02\x01"), (FAILED, "HASH_FAILURE"),
    ),
    "part removed": (
        lambda files: {name: data for name, data in files.items() if name != "word/styles.xml"},
        (FAILED, "HASH_FAILURE"),
    ),
    "relationship led elsewhere": (
        lambda files: replaced(files, DOCUMENT_RELS, b"media/dau.png", b"media/../styles.xml"),
        (FAILED, "HASH_FAILURE"),
    ),
    "link led elsewhere": (
        lambda files: replaced(files, DOCUMENT_RELS, b"example.test", b"evil.test"), (FAILED, "HASH_FAILURE"),
    ),
    "content type changed": (
        lambda files: with_types(dict(files), {"word/styles.xml": f"{WORD}.document.main+xml"}),
        (FAILED, "HASH_FAILURE"),
    ),
    "manifest changed": (
        lambda files: replaced(files, SIGNATURE_PART, b"/word/media/dau.png", b"/word/styles.xml"),
        (FAILED, "HASH_FAILURE"),
    ),
    "signing time changed": (
        lambda files: replaced(files, SIGNATURE_PART, b"2024-03-01T08", b"2023-03-01T08"),
        (FAILED, "HASH_FAILURE"),
    ),
    "content injected": (
        lambda files: added(files, "word/footnotes.xml", b"<w:footnotes/>", "footnotes"),
        (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    ),
    "font injected": (
        lambda files: added(files, "word/fontTable.xml", b"<w:fonts/>", "fontTable"),
        (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    ),
    "part injected without a relationship": (
        lambda files: with_types({**files, "word/people.xml": b"<p/>"}), (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    ),
    "template from outside": (
        lambda files: {
            **files,
            "word/_rels/styles.xml.rels": relationships(
                ("rId1", f"{OFFICE}/attachedTemplate", "https://evil.test/a.dotm", "External")
            ),
        },
        (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    ),
    "document said to be properties": (
        lambda files: replaced(files, "_rels/.rels", b"docProps/core.xml", b"word/people.xml")
        | {"word/people.xml": b"<w:document/>"},
        (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    ),
    "manifest in an unsigned object": (
        lambda files: replaced(files, SIGNATURE_PART, b"<Manifest>", b"<Manifest Id='moved'>")
        | {SIGNATURE_PART: _wrapped(files[SIGNATURE_PART])},
        (FAILED, "FORMAT_FAILURE"),
    ),
    "signature emptied": (
        lambda files: {**files, SIGNATURE_PART: b""}, (FAILED, "FORMAT_FAILURE"),
    ),
    "signature replaced by something else": (
        lambda files: {**files, SIGNATURE_PART: b"<Signature/>"}, (FAILED, "FORMAT_FAILURE"),
    ),
    "signature cut off from the package": (
        lambda files: {**files, "_xmlsignatures/_rels/origin.sigs.rels": relationships()},
        (FAILED, "FORMAT_FAILURE"),
    ),
    "signature taken out": (
        lambda files: {name: data for name, data in files.items() if name != SIGNATURE_PART},
        (FAILED, "FORMAT_FAILURE"),
    ),
    "DTD in the signature": (
        lambda files: {**files, SIGNATURE_PART: b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + _body(files[SIGNATURE_PART])},
        (FAILED, "FORMAT_FAILURE"),
    ),
    "two content types": (
        lambda files: replaced(
            files, "[Content_Types].xml", b"</Types>",
            b'<Override PartName="/WORD/styles.xml" ContentType="text/xml"/></Types>',
        ),
        (FAILED, "FORMAT_FAILURE"),
    ),
    "two relationships of one id": (
        lambda files: replaced(
            files, DOCUMENT_RELS, b"</Relationships>",
            f'<Relationship Id="rId10" Type="{OFFICE}/image" Target="media/b.png"/></Relationships>'.encode(),
        ),
        (FAILED, "FORMAT_FAILURE"),
    ),
}  # fmt: skip


def _body(signature: bytes) -> bytes:
    return signature.partition(b"?>\n")[2]


def _wrapped(signature: bytes) -> bytes:
    """The signed object kept, emptied of its name; a second manifest beside it."""
    start, end = signature.index(b"<Object"), signature.index(b"</Signature>")
    evil = signature[start:end].replace(b"idPackageObject", b"khac").replace(b"idSignatureTime", b"khac2")
    return signature[:end] + evil + signature[end:]


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_no_manipulated_document_passes(signed: Files, name: str) -> None:
    manipulate, expected = MANIPULATIONS[name]
    assert told(packed(manipulate(dict(signed)))) == expected


def test_what_office_leaves_unsigned_may_change(pki: Pki, signed: Files) -> None:
    assert told(packed(replaced(signed, "docProps/core.xml", b"<core/>", b"<core>x</core>"))) == (PASSED, "")


@pytest.mark.parametrize(
    ("body", "expected"),
    [("không buộc", (PASSED, "")), ("<w:dataBinding/>", (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"))],
)
def test_unsigned_custom_data_matters_only_where_the_document_shows_it(
    pki: Pki, body: str, expected: tuple[Indication, str]
) -> None:
    files = sign_docx(docx(body), pki.person)
    files = replaced(
        {**files, "customXml/item1.xml": b"<data>evil</data>"}, DOCUMENT_RELS, b"</Relationships>",
        f'<Relationship Id="rId98" Type="{OFFICE}/customXml" Target="../customXml/item1.xml"/>'
        "</Relationships>".encode(),
    )  # fmt: skip
    assert told(packed(with_types(files))) == expected


def test_a_part_left_unsigned_by_the_signer_is_partial(pki: Pki) -> None:
    files = sign_docx(docx(), pki.person, leave_out=("docProps/core.xml", "word/styles.xml"))
    (verdict,) = judged(packed(files))
    assert (verdict.indication, verdict.coverage) == (INDETERMINATE, Coverage.PARTIAL)
    assert verdict.messages == ("not signed: /word/styles.xml",)


@pytest.mark.parametrize("c14n", ["", "http://www.w3.org/TR/1999/REC-xslt-19991116"])
def test_a_relationship_transform_needs_its_canonicalization(pki: Pki, c14n: str) -> None:
    assert told(packed(sign_docx(docx(), pki.person, c14n=c14n))) == (FAILED, "FORMAT_FAILURE")


def test_a_zip_that_two_readers_take_differently_is_refused(signed: Files) -> None:
    twice = io.BytesIO(packed(signed))
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("word/document.xml", b"<evil/>")
    assert told(twice.getvalue()) == (FAILED, "FORMAT_FAILURE")
    other_case = {**signed, "Word/document.xml": b"<evil/>"}
    assert told(packed(other_case)) == (FAILED, "FORMAT_FAILURE")
    assert told(b"PK\x03\x04 before" + packed(signed)) == (FAILED, "FORMAT_FAILURE")
    assert told(packed(signed)[:-40]) == (FAILED, "FORMAT_FAILURE")


def test_signatures_of_macros_are_not_of_the_document() -> None:
    files = {**docx(), "word/vbaProjectSignature.bin": b"0"}
    types = {"word/vbaProjectSignature.bin": "application/vnd.ms-office.vbaProjectSignature"}
    assert told(packed(with_types(files, types)))[0] is Indication.UNSUPPORTED


def test_unsigned_documents_have_no_signature_and_other_archives_are_unsupported() -> None:
    assert told(packed(docx())) == (Indication.NO_SIGNATURE, "")
    assert told(packed(odt())) == (Indication.NO_SIGNATURE, "")
    assert told(packed({"a.txt": b"a"})) == (Indication.UNSUPPORTED, "")
    assert told(b"PK\x03\x04 nothing of a ZIP") == (Indication.UNSUPPORTED, "")


def test_an_opendocument_signed_whole_passes(pki: Pki) -> None:
    (verdict,) = judged(packed(sign_odt(odt(), pki.seal)), pki.trust())
    assert (verdict.indication, verdict.coverage, verdict.format) == (PASSED, Coverage.WHOLE_FILE, "ODF")


def _data(*holders: bytes) -> str:
    return "".join(f"<X509Certificate>{base64.b64encode(der).decode()}</X509Certificate>" for der in holders)


@pytest.mark.parametrize(
    ("options", "manipulate", "expected"),
    [
        ({}, lambda files: replaced(files, "content.xml", b"160", b"161"), (FAILED, "HASH_FAILURE")),
        ({}, lambda files: {**files, "Pictures/a.png": b"x"}, (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")),
        ({"leave_out": ("META-INF/manifest.xml",)}, dict, (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")),
        (
            {},
            lambda files: {name: data for name, data in files.items() if name != "Object 1/content.xml"},
            (INDETERMINATE, "SIGNED_DATA_NOT_FOUND"),
        ),
        ({"date_signed": False}, dict, (FAILED, "FORMAT_FAILURE")),
        (
            {},
            lambda files: replaced(files, "content.xml", b"<o:doc", b"<!DOCTYPE o [<!ENTITY a 'b'>]><o:doc"),
            (FAILED, "FORMAT_FAILURE"),
        ),
        (
            {},  # no canonical form: xmlsec would end the process
            lambda files: replaced(files, "content.xml", b"'urn:o'", b"'/urn:o'"),
            (FAILED, "FORMAT_FAILURE"),
        ),
        (
            {},
            lambda files: replaced(
                files, DOCUMENT_SIGNATURES, b"</SignatureProperties>", b"<them/></SignatureProperties>"
            ),
            (FAILED, "FORMAT_FAILURE"),
        ),
        (
            {},
            lambda files: replaced(
                files, DOCUMENT_SIGNATURES, b"</document-signatures>", b"<them/></document-signatures>"
            ),
            (FAILED, "FORMAT_FAILURE"),
        ),
        (
            {},  # not well-formed, which has ended the process inside xmlsec
            lambda files: replaced(files, "content.xml", b"<o:doc", b"<o:doc x}"),
            (FAILED, "FORMAT_FAILURE"),
        ),
        (
            {},
            lambda files: {
                name.replace("documentsignatures", "documentsignatures2"): data
                for name, data in files.items()
            },
            (FAILED, "FORMAT_FAILURE"),
        ),
    ],
)
def test_no_manipulated_opendocument_passes(
    pki: Pki,
    options: dict[str, object],
    manipulate: Callable[[Files], Files],
    expected: tuple[Indication, str],
) -> None:
    files = sign_odt(odt(), pki.seal, **options)  # type: ignore[arg-type]
    assert told(packed(manipulate(dict(files)))) == expected


def test_certificates_that_could_show_another_signer_are_no_pass(pki: Pki) -> None:
    one = f"<X509Data>{_data(pki.seal.der)}</X509Data>"
    two = f"{one}<X509Data>{_data(pki.person.der)}</X509Data>"
    assert told(packed(sign_odt(odt(), pki.seal, data=two))) == (FAILED, "FORMAT_FAILURE")
    chain = f"<X509Data>{_data(pki.seal.der, pki.ca.der, pki.root.der)}</X509Data>"
    assert told(packed(sign_odt(odt(), pki.seal, data=chain))) == (PASSED, "")
    stranger = f"<X509Data>{_data(pki.seal.der, pki.person.der)}</X509Data>"
    assert told(packed(sign_odt(odt(), pki.seal, data=stranger)))[0] is INDETERMINATE
