"""The PDF of a document with the signatures that its story asks for, and what verification must say of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from demo.chance import stream
from demo.organs import Official
from demo.pages import render
from demo.papers import Paper
from demo.pdf_signing import Signing, alter_text, append_line, sign_pdf
from demo.pki import Pki
from demo.report import ExpectedFile
from demo.typefaces import Typefaces

HANOI = timezone(timedelta(hours=7))
SIGNED_SINCE = 2014
"""Year of the first signed documents."""

_PASSED = ("TOTAL_PASSED",)
_NONE = ("NO_SIGNATURE",)
_NEVER_PASSED = ("INDETERMINATE", "TOTAL_FAILED")
_UNREADABLE = ("ERROR", "UNSUPPORTED", "INDETERMINATE", "TOTAL_FAILED")

CASES: dict[str, tuple[str, ...]] = {
    "unsigned": _NONE,
    "scan": _NONE,
    # The format knows no signature; who does not read it may say only that.
    "rtf": ("NO_SIGNATURE", "UNSUPPORTED"),
    "person_and_seal": _PASSED,
    "seal_only": _PASSED,
    "person_only": _PASSED,
    "tampered": ("TOTAL_FAILED",),
    "appended": _NEVER_PASSED,
    "revoked": _NEVER_PASSED,
    "foreign_root": ("INDETERMINATE",),
    "expired": ("INDETERMINATE",),
    "expired_stamped": _PASSED,
    "utf8_decoded": _UNREADABLE,
}
"""What may be said of a file by what was done to it."""


@dataclass(frozen=True, slots=True)
class PdfFile:
    """The bytes of a PDF, how many pages it was laid out on, and what is true of it."""

    data: bytes
    pages: int
    expected: ExpectedFile


@dataclass(frozen=True, slots=True)
class Press:
    """Makes PDFs: the seed, the faces and the certificates that it works with."""

    seed: int
    faces: Typefaces
    pki: Pki

    def pdf(self, paper: Paper, case: str = "", name: str = "") -> PdfFile:
        """The PDF of ``paper``; without ``case`` its signatures are those usual for its organ and year."""
        case = case or self._usual_case(paper)
        signings = _signings(paper, case)
        laid_out = render(
            paper,
            self.faces,
            compress=case != "tampered",
            note="Bản số hóa từ bản giấy" if case == "scan" else "",
        )
        roles = tuple(
            "PERSON" if signing.credential.startswith("person") else "ORGAN" for signing in signings
        )
        data = self._spoiled(sign_pdf(laid_out, signings, self.pki), paper, case)
        expected = expected_file(name or f"{paper.file_stem}.pdf", data, case, roles)
        return PdfFile(data, laid_out.count(b"/Type /Page "), expected)

    def _usual_case(self, paper: Paper) -> str:
        certificates = (bool(paper.official.certificate), bool(paper.organ.seal))
        usual = {(True, True): "person_and_seal", (True, False): "person_only", (False, True): "seal_only"}
        chance = stream(self.seed, "signing", paper.label).random()
        if paper.day.year < SIGNED_SINCE or certificates not in usual or chance < 0.12:
            return "unsigned"
        if certificates == (True, True) and (paper.day.year < SIGNED_SINCE + 2 or chance < 0.25):
            return "seal_only"
        return usual[certificates]

    def _spoiled(self, data: bytes, paper: Paper, case: str) -> bytes:
        if case == "tampered":
            digit = paper.number[-1]
            other = f"{paper.number[:-1]}{(int(digit) + 3) % 10}"
            sign = "-" if paper.organ.party else "/"
            return alter_text(data, paper.number + sign, other + sign, self.faces.regular)
        if case == "appended":
            return append_line(data, "Bổ sung: giao thêm kinh phí 500 triệu đồng.", self.faces.regular)
        if case == "utf8_decoded":
            return data.decode("utf-8", "replace").encode("utf-8")
        return data


def expected_file(name: str, data: bytes, case: str, roles: tuple[str, ...] = ()) -> ExpectedFile:
    """What is true of a file that was made for ``case``."""
    return ExpectedFile(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        case=case,
        roles=() if case == "utf8_decoded" else roles,
        verdicts=CASES[case],
        defects=("corrupt_utf8_decode",) if case == "utf8_decoded" else (),
    )


def _signings(paper: Paper, case: str) -> tuple[Signing, ...]:
    if case in ("unsigned", "scan"):
        return ()
    morning = datetime.combine(paper.day, time(9, 5), HANOI)
    seal = Signing(paper.organ.seal, morning + timedelta(minutes=47), "Phát hành văn bản")
    if case == "seal_only":
        return (seal,)
    person = _personal(paper.official, morning, expired=case.startswith("expired"), stamped=case != "expired")
    return (
        (person, seal) if case in ("person_and_seal", "tampered", "appended", "utf8_decoded") else (person,)
    )


def _personal(official: Official, moment: datetime, *, expired: bool, stamped: bool) -> Signing:
    # Without a time-stamp nothing proves that the signature is older than the certificate's end.
    label = f"{official.certificate}-expired" if expired else official.certificate
    return Signing(label, moment, "Phê duyệt văn bản", time_stamp=stamped)
