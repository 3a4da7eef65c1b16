"""Every attack on signed PDFs that the literature knows: none passes, and none makes the file look unsigned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asn1crypto import cms
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm

from signatures.verdict import Indication, Modification, Verdict, worst
from tests.signatures.pdf_attacks import (
    CMS,
    FAMILIES,
    annotated,
    gap,
    shadow_pdf,
    updated,
    with_contents,
)
from tests.signatures.pki_factory import Pki, day, minimal_pdf
from tests.signatures.test_pdf_verdicts import intact, judged

PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
ERROR = Indication.ERROR

USUAL: dict[str, Indication] = {
    "USF": FAILED,
    "ISA": INDETERMINATE,
    "SWA": ERROR,
    "CMS": FAILED,
    "revision": INDETERMINATE,
    "ByteRange": FAILED,
    "loop": ERROR,
    "shadow": INDETERMINATE,
}
EXCEPT: dict[str, Indication] = {
    "ISA: objects alone": ERROR,
    "ISA: table without trailer": ERROR,
    "ISA: trailer without table": ERROR,
    "ISA: copy of the signature, no table": ERROR,
    "ISA: copy of the signature, no trailer": ERROR,
    "ISA: empty table": ERROR,
    "SWA: the dictionary closed in the gap": FAILED,
    "CMS: certificates taken out": INDETERMINATE,
    "revision: other catalog": FAILED,
    "revision: reason replaced in place": FAILED,
    "loop: pages are their own kids": INDETERMINATE,
    "loop: a reference to itself": INDETERMINATE,
    "shadow: hidden pages shown by the catalog": FAILED,
}
"""What is not as usual in its family: ERROR where nothing can be read, FAILED where a signature was cut off."""

ATTACKS = [(family, name) for family, attacks in FAMILIES.items() for name in attacks]


@pytest.fixture(scope="module")
def prepared(pki: Pki) -> bytes:
    data = pki.sign_pdf(shadow_pdf(minimal_pdf("So 999-KL/TU")), pki.person, reason="Phe duyet")
    assert worst(judged(data, pki.trust())) is PASSED
    return data


@pytest.mark.parametrize(("family", "name"), ATTACKS)
def test_an_attack_is_no_pass(pki: Pki, prepared: bytes, family: str, name: str) -> None:
    attacked = FAMILIES[family][name](prepared)
    assert attacked != prepared
    expected = EXCEPT.get(f"{family}: {name}", USUAL[family])
    assert worst(intact(attacked)) is expected
    assert worst(judged(attacked, pki.trust())) is expected


def _filled(name: str) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        fields = writer.root["/AcroForm"]["/Fields"]
        field = next(item for item in (fields[number] for number in range(len(fields))) if item["/T"] == name)
        field[pdf_name("/V")] = generic.pdf_string("da sua")
        writer.update_container(field)

    return change


TEXT_FIELD = (
    "<< /Type /Annot /Subtype /Widget /FT /Tx /T (GhiChu) /F 4 /Rect [72 600 200 620] /P 3 0 R /V () >>"
)


def _of(verdicts: list[Verdict], name: str) -> Verdict:
    return next(item for item in verdicts if item.path == name)


@pytest.mark.parametrize(
    ("allowed", "later", "expected"),
    [
        (MDPPerm.NO_CHANGES, "sign", INDETERMINATE),
        (MDPPerm.NO_CHANGES, "annotate", INDETERMINATE),
        (MDPPerm.NO_CHANGES, "fill", INDETERMINATE),
        (MDPPerm.FILL_FORMS, "sign", PASSED),
        (MDPPerm.FILL_FORMS, "annotate", INDETERMINATE),
        (MDPPerm.FILL_FORMS, "fill", INDETERMINATE),
        (MDPPerm.ANNOTATE, "sign", PASSED),
        (MDPPerm.ANNOTATE, "annotate", INDETERMINATE),
    ],
)
def test_what_may_follow_a_certification(
    pki: Pki, monkeypatch: pytest.MonkeyPatch, allowed: MDPPerm, later: str, expected: Indication
) -> None:
    """Filling and annotating are said and never passed, whatever the certification allows: a person decides."""
    certified = pki.sign_pdf(
        minimal_pdf(fields_dict=TEXT_FIELD), pki.seal, "ConDau", certify=True, allowed=allowed
    )
    assert worst(intact(certified)) is PASSED
    if later == "sign":
        # pyHanko does not sign what a certification forbids; an attacker does.
        monkeypatch.setattr(signers.PdfSigner, "_enforce_certification_constraints", lambda *_: None)
        data = pki.sign_pdf(certified, pki.person)
    else:
        data = updated(certified, annotated if later == "annotate" else _filled("GhiChu"))
    assert _of(intact(data), "ConDau").indication is expected


@pytest.mark.parametrize("locked", [("GhiChu",), ()])
def test_a_locked_field_filled_later(pki: Pki, locked: tuple[str, ...]) -> None:
    data = pki.sign_pdf(minimal_pdf(fields_dict=TEXT_FIELD), pki.person, locked=locked)
    assert worst(intact(data)) is PASSED
    (verdict,) = intact(updated(data, _filled("GhiChu")))
    assert (verdict.indication, verdict.modification) == (INDETERMINATE, Modification.OTHER)


def test_a_certification_does_not_hide_what_was_done_to_it(pki: Pki) -> None:
    certified = pki.sign_pdf(minimal_pdf(), pki.seal, "ConDau", certify=True, reason="Phe duyet")
    for name in ("page added", "script when opened", "reason replaced"):
        assert worst(intact(FAMILIES["revision"][name](certified))) is INDETERMINATE


def _moved_token(source: bytes) -> Callable[[cms.ContentInfo], None]:
    start, end = gap(source)
    other = cms.ContentInfo.load(bytes.fromhex(source[start + 1 : end - 1].decode()))
    tokens = other["content"]["signer_infos"][0]["unsigned_attrs"]

    def change(info: cms.ContentInfo) -> None:
        info["content"]["signer_infos"][0]["unsigned_attrs"] = tokens.copy()

    return change


def test_a_signature_time_stamp_of_another_document(pki: Pki) -> None:
    stamper = pki.stamper(day(0.01))
    other = pki.sign_pdf(minimal_pdf("So 1-CV/TU"), pki.person, stamper=stamper)
    data = pki.sign_pdf(minimal_pdf(), pki.person, stamper=stamper)
    (verdict,) = judged(with_contents(data, _moved_token(other)), pki.trust())
    assert (verdict.indication, verdict.best_time_source) == (INDETERMINATE, "validation_time")
    assert verdict.timestamps[0].sub_indication == "HASH_FAILURE"


def test_a_document_time_stamp_of_another_document(pki: Pki, signed_pdf: bytes) -> None:
    stamped = pki.stamp_pdf(signed_pdf, day(0.02))
    assert [item.indication for item in judged(stamped, pki.trust())] == [PASSED, PASSED]
    other = pki.stamp_pdf(pki.sign_pdf(minimal_pdf("So 1-CV/TU"), pki.person), day(0.01))
    start, end = gap(other)
    token = other[start:end]
    start, end = gap(stamped)
    copied = stamped[:start] + token.ljust(end - start, b"0")[: end - start - 1] + b">" + stamped[end:]
    signature, stamp = judged(copied, pki.trust())
    assert (stamp.indication, stamp.sub_indication) == (FAILED, "HASH_FAILURE")
    assert signature.best_time_source == "validation_time"


def test_a_hidden_second_signer_is_told_by_his_own_engine(pki: Pki, prepared: bytes) -> None:
    """Only one signer per signature in a PDF (EN 319 142-1 §4.1): two are never judged as one."""
    (verdict,) = intact(CMS["two signers"](prepared))
    assert "signer_infos" in verdict.messages[0]
