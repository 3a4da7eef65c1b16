"""The samples of others with their expected verdicts. The rules come from the standards; this measures
them."""

from __future__ import annotations

import csv
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import pem

from schemas.record import FileContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Indication, worst

_DEFAULT = Path(__file__).parents[2] / ".." / "shared" / "samples"
SAMPLES = Path(os.environ.get("LIENTHONG_SAMPLES", _DEFAULT)) / "signatures"
ENGINES = ("pdf", "xml", "cms", "ooxml", "smime")
AT = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = [
    pytest.mark.samples,
    pytest.mark.skipif(not (SAMPLES / "index.tsv").is_file(), reason="the shared samples are not here"),
]

MISLABELLED = frozenset({"pdf/dss__pades-enveloping-other-pdf.pdf"})
"""Its CMS structure encloses nothing: eContent is absent and the digest is that of the file's own byte
range."""

FLOOR = {"pdf": 12, "xml": 15, "cms": 11, "ooxml": 4, "smime": 0}
"""MUST rows expected INTACT that pass, as measured; of 13, 15, 11, 4 and none. The PDF refused appends hybrid
cross-references, with which two readers may see two updates."""


def rows() -> list[dict[str, str]]:
    with (SAMPLES / "index.tsv").open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream, delimiter="\t") if row["file"].split("/")[0] in ENGINES]


def verdict_of(row: dict[str, str]) -> Indication:
    detached = None
    if row["file"].startswith("cms/") and row["why"].endswith("(detached content in aux)"):
        detached = FileContent(SAMPLES / row["aux"])
    file = SignedFile(row["file"], FileContent(SAMPLES / row["file"]), detached)
    return worst(verify(file, TrustStore(), AT, integrity_only=True))


@pytest.fixture(scope="module")
def results() -> list[tuple[dict[str, str], Indication]]:
    return [(row, verdict_of(row)) for row in rows()]


def test_nothing_that_is_no_pass_passes(results: list[tuple[dict[str, str], Indication]]) -> None:
    wrong = [
        row["file"]
        for row, indication in results
        if row["expected"] not in {"INTACT", "TRUST:CONSTRAINTS"}
        and indication is Indication.TOTAL_PASSED
        and row["file"] not in MISLABELLED
    ]
    assert wrong == []


def test_no_signature_is_said_of_exactly_those(results: list[tuple[dict[str, str], Indication]]) -> None:
    said = {row["file"] for row, indication in results if indication is Indication.NO_SIGNATURE}
    assert said == {row["file"] for row, _ in results if row["expected"] == "NO_SIGNATURE"}


def test_the_genuine_ones_pass(results: list[tuple[dict[str, str], Indication]]) -> None:
    passed = Counter(
        row["file"].split("/")[0]
        for row, indication in results
        if (row["expected"], row["strength"]) == ("INTACT", "MUST") and indication is Indication.TOTAL_PASSED
    )
    assert all(passed[engine] >= floor for engine, floor in FLOOR.items()), passed


def test_rows_about_trust_end_as_they_say(results: list[tuple[dict[str, str], Indication]]) -> None:
    rows_about_trust = [row for row, _ in results if row["expected"] == "TRUST:CONSTRAINTS"]
    for row in rows_about_trust:
        root = (SAMPLES / row["aux"]).read_bytes()
        trust = TrustStore(roots=(pem.unarmor(root)[2] if pem.detect(root) else root,))
        file = SignedFile(row["file"], FileContent(SAMPLES / row["file"]))
        assert worst(verify(file, trust, AT)) is not Indication.TOTAL_PASSED
