"""What time does to a verdict: a signer whose certificate holds 60 days, judged from day 0 to day 500 by a moved clock.

Each row: level of the signature, the revocation lists at hand, the day, and what must come out. B-B is signed on day
0; B-T has a signature time-stamp of day 0.1; B-LTA brings its evidence along and is closed by a document time-stamp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from benchmarks.signature_samples import lta_pdf
from schemas.record import BytesContent
from signatures import SignedFile, verify
from signatures.verdict import Indication
from tests.signatures.cms_factory import sign
from tests.signatures.pki_factory import Pki, day, minimal_pdf, revocation_list

PASSED = (Indication.TOTAL_PASSED, "")


def _never(sub_indication: str) -> tuple[Indication, str]:
    return Indication.INDETERMINATE, sub_indication


TRY_LATER = _never("TRY_LATER")
REVOKED = _never("REVOKED_NO_POE")
EXPIRED = _never("OUT_OF_BOUNDS_NO_POE")
UNPROVEN = _never("CERTIFICATE_CHAIN_GENERAL_FAILURE")

Lists = Callable[[Pki], tuple[bytes, ...]]


def _revoked(pki: Pki, issued: float, on: float) -> tuple[bytes, ...]:
    return pki.fresh_crls(day(issued), {pki.person.certificate.serial_number: day(on)})


LISTS: dict[str, Lists] = {
    "none": lambda pki: (),
    "day 0": lambda pki: pki.fresh_crls(day(0)),
    "day 0.2": lambda pki: pki.fresh_crls(day(0.2)),
    "day 9": lambda pki: pki.fresh_crls(day(9)),
    "day 0.2 and 9": lambda pki: pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(9)),
    "revoked on day 5": lambda pki: _revoked(pki, 9, 5),
    "day 0.2, revoked on day 5": lambda pki: pki.fresh_crls(day(0.2)) + _revoked(pki, 9, 5),
    "revoked before signing": lambda pki: _revoked(pki, 9, -0.5),
    "revoked before signing, gone from the list of day 364": lambda pki: _revoked(pki, 9, -0.5)
    + pki.fresh_crls(day(364)),
    "day 364": lambda pki: pki.fresh_crls(day(364)),
    "day 0.2 and 364": lambda pki: pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(364)),
    "day 0.2, of the time-stamp's CA none later": lambda pki: (
        *pki.fresh_crls(day(0.2)), revocation_list(pki.root, day(499)), revocation_list(pki.ca, day(499)),
    ),
    "day 0.2 and 499": lambda pki: pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(499)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A case: what is judged when, with which lists, and the verdict."""

    level: str
    lists: str
    at: float
    expected: tuple[Indication, str]


ROWS = [
    Row("B-B", "day 0", 0.5, PASSED),
    Row("B-T", "day 0", 0.5, PASSED),
    Row("B-LTA", "day 0", 0.5, PASSED),
    Row("B-B", "none", 0.5, UNPROVEN),
    Row("B-T", "none", 0.5, UNPROVEN),
    Row("B-LTA", "none", 0.5, PASSED),  # its own lists, of day 0
    Row("B-B", "day 0", 10, TRY_LATER),
    Row("B-T", "day 0", 10, TRY_LATER),
    Row("B-LTA", "none", 10, TRY_LATER),
    Row("B-B", "day 9", 10, PASSED),
    Row("B-T", "day 9", 10, PASSED),
    Row("B-LTA", "day 9", 10, PASSED),
    Row("B-B", "revoked on day 5", 10, REVOKED),
    Row("B-T", "revoked on day 5", 10, REVOKED),  # no list of a time at which it was good
    Row("B-B", "day 0.2, revoked on day 5", 10, REVOKED),
    Row("B-T", "day 0.2, revoked on day 5", 10, PASSED),
    Row("B-LTA", "day 0.2, revoked on day 5", 10, PASSED),
    Row("B-B", "revoked before signing", 10, REVOKED),
    Row("B-T", "revoked before signing", 10, REVOKED),
    Row("B-B", "day 364", 365, EXPIRED),
    Row("B-B", "day 0.2 and 364", 365, EXPIRED),
    Row("B-T", "day 0.2 and 364", 365, PASSED),
    Row("B-LTA", "day 0.2 and 364", 365, PASSED),
    Row("B-T", "day 364", 365, EXPIRED),  # a list of after the end no longer names who was revoked before
    Row("B-T", "revoked before signing, gone from the list of day 364", 365, EXPIRED),
    Row("B-T", "day 0.2", 500, TRY_LATER),  # nobody vouches for the time-stamp's chain any more
    Row("B-LTA", "day 0.2, of the time-stamp's CA none later", 500, EXPIRED),
    Row("B-T", "day 0.2 and 499", 500, PASSED),
    Row("B-LTA", "day 0.2 and 499", 500, PASSED),
]


@pytest.fixture(scope="module")
def pdfs(pki: Pki) -> dict[str, bytes]:
    return {
        "B-B": pki.sign_pdf(minimal_pdf(), pki.person),
        "B-T": pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0.1))),
        "B-LTA": lta_pdf(pki, minimal_pdf()),
    }


@pytest.fixture(scope="module")
def structures(pki: Pki) -> dict[str, bytes]:
    return {
        level: bytes(sign(pki, pki.person, detached=False, stamp=stamp).dump())
        for level, stamp in (("B-B", None), ("B-T", day(0.1)))
    }


def _verdict(pki: Pki, data: bytes, row: Row) -> tuple[Indication, str]:
    trust = pki.trust(crls=LISTS[row.lists](pki))
    first = verify(SignedFile("van-ban", BytesContent(data)), trust, day(row.at))[0]
    return first.indication, first.sub_indication


def _name(row: Row) -> str:
    return f"{row.level}, {row.lists}, judged on day {row.at:g}"


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_pdf_through_time(pki: Pki, pdfs: dict[str, bytes], row: Row) -> None:
    assert _verdict(pki, pdfs[row.level], row) == row.expected


@pytest.mark.parametrize("row", [row for row in ROWS if row.level != "B-LTA"], ids=_name)
def test_a_cms_structure_through_time(pki: Pki, structures: dict[str, bytes], row: Row) -> None:
    assert _verdict(pki, structures[row.level], row) == row.expected
