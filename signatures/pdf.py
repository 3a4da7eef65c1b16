"""PDF signatures: ISO 32000 and PAdES (ETSI EN 319 142-1), with incremental updates, time-stamps and DSS.

pyHanko reads and compares; the guards of ``pdf_guards`` close what it leaves open. A verdict passes only when
integrity, coverage, modifications, time-stamps and trust all do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO

from asn1crypto import ocsp as asn1_ocsp
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DiffResult,
    ModificationLevel,
    SuspiciousModification,
)
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.revinfo.archival import OCSPContainer

from signatures.chain import Judge
from signatures.cms import JudgeFor, enclosed_content, evidence_of
from signatures.levels import level_of_pdf
from signatures.pdf_changes import POLICY
from signatures.pdf_guards import (
    SIGNATURE_SUBFILTERS,
    TIMESTAMP_SUBFILTER,
    Filled,
    contents_fill_the_gap,
    filled_fields,
    is_placeholder,
    later_hybrid,
    loose_signatures,
    open_reader,
    tail_is_blank,
)
from signatures.revocation import RevocationList
from signatures.signer import (
    Integral,
    MalformedError,
    apply_trust,
    check_integrity,
    failed,
    judge_trust,
    proven_time,
    with_tokens,
)
from signatures.timestamps import JudgedToken, judge_token
from signatures.trust_outcome import FileEvidence
from signatures.verdict import Coverage, Indication, Integrity, Modification, SignerRole, Verdict

MAX_SIGNATURES = 100
"""Filled signature fields per file that are judged."""

LEVELS: dict[ModificationLevel, Modification] = {
    ModificationLevel.NONE: Modification.NONE,
    ModificationLevel.LTA_UPDATES: Modification.LTA,
    ModificationLevel.FORM_FILLING: Modification.FORM_FILLED,
    ModificationLevel.ANNOTATIONS: Modification.ANNOTATED,
    ModificationLevel.OTHER: Modification.OTHER,
}

ALLOWED = frozenset({Modification.NONE, Modification.LTA, Modification.SIGNATURE_ADDED})
"""What may follow a signature without taking its pass away (EN 319 142-1 §5.5, ISO 32000-2 §12.8.2)."""

WHOLE = frozenset({Coverage.WHOLE_FILE, Coverage.WHOLE_REVISION})


@dataclass(frozen=True, slots=True)
class _Document:
    """A PDF under validation; ``fields`` are its filled signature fields."""

    reader: PdfFileReader
    stream: BinaryIO
    fields: tuple[Filled, ...]
    judge: Judge | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """One signature after its integrity: what trust and later time-stamps still need."""

    field: Filled
    verdict: Verdict
    embedded: EmbeddedPdfSignature | None = None
    found: Integral | None = None
    token: JudgedToken | None = None


def verify_pdf(stream: BinaryIO, judge_for: JudgeFor | None, blank: Verdict) -> list[Verdict]:
    """The verdicts of a PDF; ``judge_for`` is ``None`` to judge integrity alone.

    Raises:
        Exception: whatever a broken file makes the reader raise; the caller turns it into ERROR.
    """
    reader, strict = open_reader(stream)
    if reader is None:
        message = "the PDF is encrypted and does not open with an empty password"
        return [replace(blank, indication=Indication.UNSUPPORTED, messages=(message,))]
    fields = tuple(filled_fields(reader))
    loose = loose_signatures(stream, reader, fields)
    if not strict and (fields or loose):
        raise PdfReadError("a signed PDF whose cross-references do not follow ISO 32000")
    if len(fields) > MAX_SIGNATURES:
        return [
            failed(blank, "FORMAT_FAILURE", f"{len(fields)} signatures; at most {MAX_SIGNATURES} are read")
        ]
    empty = [field for field in fields if is_placeholder(stream, field)]
    if len(empty) == len(fields) and not loose:
        note = (_PLACEHOLDER,) if empty else ()
        note = note if strict else ("the file's structure is damaged; it was read leniently",)
        return [replace(blank, indication=Indication.NO_SIGNATURE, messages=note)]
    judge = judge_for(_dss_evidence(reader)) if judge_for else None
    document = _Document(reader, stream, fields, judge)
    judged = [_guarded(document, field, replace(blank, path=field.name)) for field in fields]
    verdicts = [_concluded(document, item, judged) for item in judged]
    return verdicts + [_loose_verdict(blank, offset) for offset in loose]


_PLACEHOLDER = "room for a signature was reserved and never filled"


def _guarded(document: _Document, field: Filled, start: Verdict) -> _Judged:
    try:
        return _judged(document, field, start)
    except Exception as error:
        message = f"PDF engine raised {type(error).__name__}: {error}"
        return _Judged(field, replace(start, indication=Indication.ERROR, messages=(message,)))


def _judged(document: _Document, field: Filled, start: Verdict) -> _Judged:
    if is_placeholder(document.stream, field):
        return _Judged(field, replace(start, indication=Indication.NO_SIGNATURE, messages=(_PLACEHOLDER,)))
    stamp = field.subfilter == TIMESTAMP_SUBFILTER
    if not stamp and field.subfilter not in SIGNATURE_SUBFILTERS:
        message = f"signature of kind {field.subfilter or '(none)'}, which no engine judges"
        return _Judged(field, replace(start, indication=Indication.UNSUPPORTED, messages=(message,)))
    if field.type == "/DocTimeStamp" and not stamp:
        return _Judged(
            field, failed(start, "FORMAT_FAILURE", f"a document time-stamp of kind {field.subfilter}")
        )
    try:
        embedded = EmbeddedPdfSignature(document.reader, field.dictionary, field.name)
    except (PdfReadError, ValueError, TypeError, KeyError, AssertionError, AttributeError) as error:
        return _Judged(field, failed(start, "FORMAT_FAILURE", f"the signature cannot be read: {error}"))
    start = replace(start, revision=embedded.signed_revision + 1)
    if not contents_fill_the_gap(document.stream, field):
        message = "ByteRange leaves out more than the signature's own Contents"
        return _Judged(field, replace(failed(start, "FORMAT_FAILURE", message), coverage=Coverage.PARTIAL))
    if later_hybrid(document.reader, embedded.signed_revision):
        message = "a later update has hybrid cross-references: what was changed depends on the reader"
        return _Judged(field, failed(start, "FORMAT_FAILURE", message))
    start = _with_modifications(document, field, embedded, start)
    return _stamp(document, field, embedded, start) if stamp else _signature(document, field, embedded, start)


def _signature(document: _Document, field: Filled, embedded: EmbeddedPdfSignature, start: Verdict) -> _Judged:
    signed_data = embedded.signed_data
    if enclosed_content(signed_data) is not None:
        message = "the signature encloses content of its own: it does not sign this document"
        return _Judged(field, failed(start, "FORMAT_FAILURE", message))
    found = check_integrity(
        signed_data, embedded.compute_digest(), embedded.compute_digest, start, document.judge
    )
    verdict = found.verdict
    if verdict.claimed_time is None:
        verdict = replace(verdict, claimed_time=embedded.self_reported_timestamp)
    return _Judged(field, _axes(verdict), embedded, found)


def _stamp(document: _Document, field: Filled, embedded: EmbeddedPdfSignature, start: Verdict) -> _Judged:
    token = judge_token(embedded.signed_data, "document", embedded.compute_digest, document.judge)
    passed = token.stamp.indication is Indication.TOTAL_PASSED
    verdict = replace(
        start,
        indication=token.stamp.indication,
        sub_indication=token.stamp.sub_indication,
        integrity=Integrity.INTACT if token.matches else Integrity.BROKEN,
        role=SignerRole.TIME_STAMP,
        timestamps=(token.stamp,),
        best_time=token.stamp.moment if passed else None,
        best_time_source="timestamp" if passed else "",
        evidence=(token.sha256,) if token.sha256 else (),
        messages=(*((token.message,) if token.message else ()), *start.messages),
    )
    return _Judged(field, _axes(verdict), embedded, token=token)


def _with_modifications(
    document: _Document, field: Filled, embedded: EmbeddedPdfSignature, start: Verdict
) -> Verdict:
    level, changes = _compared(embedded)
    last = embedded.signed_revision == document.reader.total_revisions - 1
    blank_tail = tail_is_blank(document.stream, field, last)
    if level is SignatureCoverageLevel.ENTIRE_FILE:
        coverage = Coverage.WHOLE_FILE
    elif level is SignatureCoverageLevel.ENTIRE_REVISION and blank_tail:
        coverage = Coverage.WHOLE_FILE if last else Coverage.WHOLE_REVISION
    else:
        coverage = Coverage.PARTIAL
    if not blank_tail:
        message = "bytes follow the end of the file that no signature covers"
        return replace(start, coverage=coverage, modification=Modification.OTHER, messages=(message,))
    return _modified(document, embedded, changes, replace(start, coverage=coverage))


def _compared(
    embedded: EmbeddedPdfSignature,
) -> tuple[SignatureCoverageLevel | None, DiffResult | SuspiciousModification | None]:
    """What the signature covers and what later revisions changed, as pyHanko judges it."""
    embedded.compute_integrity_info(diff_policy=POLICY)
    return embedded.coverage, embedded.diff_result


def _modified(
    document: _Document,
    embedded: EmbeddedPdfSignature,
    changes: DiffResult | SuspiciousModification | None,
    start: Verdict,
) -> Verdict:
    if not isinstance(changes, DiffResult):
        return replace(
            start, modification=Modification.OTHER, messages=(f"changed after signing: {changes}",)
        )
    found = LEVELS[changes.modification_level]
    others = changes.changed_form_fields - {field.name for field in document.fields}
    if found is Modification.FORM_FILLED and not others:
        found = Modification.SIGNATURE_ADDED
    elif found is Modification.FORM_FILLED:
        message = f"form fields filled after signing: {', '.join(sorted(others))}"
        return replace(start, modification=found, messages=(message,))
    if embedded.summarise_integrity_info()["docmdp_ok"] is False and found in ALLOWED:
        message = "the certification signature forbids what was added"
        return replace(start, modification=Modification.OTHER, messages=(message,))
    message = "" if found in ALLOWED else f"changed after signing: {found.value.lower()}"
    return replace(start, modification=found, messages=(message,) if message else ())


def _axes(verdict: Verdict) -> Verdict:
    """A pass only when coverage and modifications pass as well (reference ladder, step 7)."""
    if verdict.indication is not Indication.TOTAL_PASSED:
        return verdict
    if verdict.coverage in WHOLE and verdict.modification in ALLOWED:
        return verdict
    covered, changed = verdict.coverage.value, verdict.modification.value
    message = f"intact, but coverage is {covered} and changes after signing are {changed}"
    return replace(
        verdict,
        indication=Indication.INDETERMINATE,
        sub_indication="SIG_CONSTRAINTS_FAILURE",
        messages=(*verdict.messages, message),
    )


def _concluded(document: _Document, item: _Judged, judged: list[_Judged]) -> Verdict:
    if item.embedded is None or item.found is None or not item.found.holds:
        return item.verdict
    later = tuple(
        other.token
        for other in judged
        if other.token is not None
        and other.embedded is not None
        and other.embedded.signed_revision > item.embedded.signed_revision
        and other.verdict.coverage in WHOLE
    )
    own = item.verdict.level
    level = level_of_pdf(own, store="/DSS" in document.reader.root, stamped_later=bool(later))
    verdict = replace(item.verdict, level=level, level_evaluated=level)
    if later:
        verdict = with_tokens(verdict, (*item.found.tokens, *later))
        verdict = replace(verdict, messages=item.verdict.messages)
    if document.judge is None:
        return verdict
    try:
        return _trusted(document.judge, item.embedded, item.found, (*item.found.tokens, *later), verdict)
    except Exception as error:
        message = f"PDF engine raised {type(error).__name__}: {error}"
        return replace(verdict, indication=Indication.ERROR, sub_indication="", messages=(message,))


def _trusted(
    judge: Judge,
    embedded: EmbeddedPdfSignature,
    found: Integral,
    tokens: tuple[JudgedToken, ...],
    verdict: Verdict,
) -> Verdict:
    judge = replace(judge, file=_joined(judge.file, evidence_of(embedded.signed_data)))
    proven = proven_time(tokens)
    if found.certificate is None:
        raise MalformedError("an intact signature without a certificate")
    outcome = judge_trust(embedded.signed_data, embedded.compute_digest(), found.certificate, judge, proven)
    return apply_trust(verdict, outcome, judge.at, proven)


def _joined(one: FileEvidence, two: FileEvidence) -> FileEvidence:
    return FileEvidence(
        (*one.certificates, *two.certificates), (*one.crls, *two.crls), (*one.ocsps, *two.ocsps)
    )


def _dss_evidence(reader: PdfFileReader) -> FileEvidence:
    """Certificates, CRLs and OCSP answers of the document security store (ISO 32000-2 §12.8.4.3)."""
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except (NoDSSFoundError, KeyError, ValueError, TypeError):
        return FileEvidence()
    crls = [item.get_object().read_data(DecodePurpose.CRL) for item in store.crls]
    answers = [
        asn1_ocsp.OCSPResponse.load(item.get_object().read_data(DecodePurpose.OCSP_RESPONSE))
        for item in store.ocsps
    ]
    return FileEvidence(
        tuple(store.load_certs()),
        tuple(RevocationList.load(item) for item in crls),
        tuple(container for answer in answers for container in OCSPContainer.load_multi(answer)),
    )


def _loose_verdict(blank: Verdict, offset: int) -> Verdict:
    message = "a signature dictionary that no form field of the document refers to"
    return replace(failed(blank, "FORMAT_FAILURE", message), path=f"byte {offset}")
