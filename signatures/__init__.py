"""Judging signatures: ``verify`` says of every signature in a file what can be proven, and never more.

The verdicts follow ETSI EN 319 102-1; a gap, an error or an unknown format is never a pass and never
NO_SIGNATURE.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version

from signatures.chain import Judge
from signatures.cms import verify_cms
from signatures.pdf import verify_pdf
from signatures.receipt import by_receipt, is_provisional
from signatures.signed_file import SignedFile
from signatures.smime import verify_smime
from signatures.sniffing import HEAD, Engine, describe, sniff
from signatures.trust import TrustStore, load_trust
from signatures.trust_outcome import FileEvidence
from signatures.verdict import Indication, Verdict
from signatures.xml import verify_xml
from signatures.zip_documents import verify_zip

__all__ = ["SignedFile", "TrustStore", "load_trust", "verify"]

_LIBRARIES: dict[Engine, tuple[str, ...]] = {
    Engine.PDF: ("pyhanko", "pyhanko-certvalidator"),
    Engine.CMS: ("pyhanko", "pyhanko-certvalidator"),
    Engine.XML: ("xmlsec", "lxml", "pyhanko-certvalidator"),
    Engine.MIME: ("pyhanko", "pyhanko-certvalidator"),
    Engine.ZIP: ("xmlsec", "lxml", "pyhanko-certvalidator"),
    Engine.NONE: (),
}


def verify(
    file: SignedFile,
    trust: TrustStore,
    at: datetime,
    *,
    received_at: datetime | None = None,
    integrity_only: bool = False,
) -> list[Verdict]:
    """The verdicts on a file: one for each signature, and at least one.

    Args:
        file: the file; its format is told by its bytes.
        trust: anchors, intermediates and revocation lists; nothing else is trusted and nothing is fetched.
        at: validation time, aware.
        received_at: when the archive recorded that it received these bytes, aware: a proof of existence for a
            signature that has no older one (see ``receipt``).
        integrity_only: leave trust, revocation and algorithm strength out; TOTAL_PASSED then means that the
            signature is intact, covers everything, and nothing was added that it does not allow.

    Returns:
        A single verdict with ``path == ""`` for a file without a signature (NO_SIGNATURE), without an engine
        (UNSUPPORTED) or that broke its engine (ERROR, with the exception's class). Content never raises.

    Raises:
        ValueError: ``at`` or ``received_at`` has no time zone.
    """
    for moment in (at, received_at):
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"validation time must be aware, got {moment.isoformat()}")
    now = _verify(file, trust, at, None, integrity_only)
    if integrity_only:
        return now
    if received_at is not None and received_at < at:
        now = by_receipt(now, received_at, lambda: _verify(file, trust, received_at, at, False))
    return [replace(verdict, provisional=True) if is_provisional(verdict) else verdict for verdict in now]


def _verify(
    file: SignedFile, trust: TrustStore, at: datetime, known_until: datetime | None, integrity_only: bool
) -> list[Verdict]:
    epoch = "" if integrity_only else trust.epoch
    blank = Verdict("OTHER", "", Indication.ERROR, trust_epoch=epoch, verified_at=at)
    engine = Engine.NONE
    try:
        with file.content.open() as stream:
            head = stream.read(HEAD)
        engine = sniff(head)
        blank = replace(blank, format=engine.value, engine=_engine_name(engine))
        verdicts = _dispatch(
            engine, file, head, blank, None if integrity_only else partial(_judge, trust, at, known_until)
        )
    except Exception as error:
        return [replace(blank, messages=(f"{engine.value} engine raised {type(error).__name__}: {error}",))]
    return verdicts or [replace(blank, messages=(f"{engine.value} engine gave no verdict",))]


def _dispatch(
    engine: Engine, file: SignedFile, head: bytes, blank: Verdict, judge_for: partial[Judge] | None
) -> list[Verdict]:
    if engine is Engine.NONE:
        message = f"{describe(head)}: signatures in this format are not judged"
        return [replace(blank, indication=Indication.UNSUPPORTED, messages=(message,))]
    with file.content.open() as stream:
        if engine is Engine.PDF:
            return verify_pdf(stream, judge_for, blank)
        if engine is Engine.ZIP:
            return verify_zip(stream, judge_for, blank)
        data = stream.read()
    if engine is Engine.MIME:
        return verify_smime(data, judge_for, blank)
    if engine is Engine.CMS:
        return verify_cms(data, file.detached, judge_for, blank)
    return verify_xml(data, file.detached, judge_for, blank)


def _judge(trust: TrustStore, at: datetime, known_until: datetime | None, evidence: FileEvidence) -> Judge:
    return Judge(trust, at, evidence, known_until)


@cache
def _engine_name(engine: Engine) -> str:
    return ", ".join(f"{library} {version(library)}" for library in _LIBRARIES[engine])
