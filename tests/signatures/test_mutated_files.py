"""A small share of ``benchmarks.fuzz_signatures``: mutated files of every format neither raise nor pass beyond the
evidence."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_signatures import Seed, cases, judge_case, seeds
from benchmarks.signature_meaning import meaning
from tests.signatures.pki_factory import Pki, minimal_pdf


@pytest.fixture(scope="module")
def all_seeds(pki: Pki) -> list[Seed]:
    return seeds(pki)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["PDF", "XML", "CMS", "OOXML", "ODF", "MIME"])
def test_mutated_files_stay_within_the_evidence(pki: Pki, all_seeds: list[Seed], kind: str) -> None:
    chosen = [seed for seed in all_seeds if seed.kind == kind]
    for number in range(25):
        seed, data = cases(number, chosen)
        outcome = judge_case(seed, data, pki.trust())
        assert outcome.finding == "", f"case {number} of {seed.name}"


def test_the_oracle_tells_a_changed_document_from_the_same(pki: Pki, signed_pdf: bytes) -> None:
    other = pki.sign_pdf(minimal_pdf("Cong van so 999-KL/TU"), pki.person)
    assert meaning("PDF", signed_pdf) != meaning("PDF", other)
    padded = signed_pdf.replace(b"0" * 64 + b">", b"0" * 63 + b"1>")
    assert padded != signed_pdf
    assert meaning("PDF", padded) == meaning("PDF", signed_pdf)
