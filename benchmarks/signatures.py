"""Verdicts on a corpus, and the cost of verdicts against a floor and against other tools.

    python -m benchmarks.signatures corpus DIR [--json]
    python -m benchmarks.signatures speed [--documents 200] [--json]

``corpus`` reads ``DIR/index.tsv`` (columns file, expected, strength, why, aux, trust) and prints how many files of each
class and format came out how, each false pass, each false NO_SIGNATURE, and each genuine file that was refused.
``speed`` is in ``benchmarks.signature_speed``.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.signature_speed import speed
from schemas.record import FileContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Indication, worst

MUST_NOT_PASS = frozenset({"MODIFIED", "BROKEN", "FORMAT", "PARTIAL", "INDETERMINATE", "NO_SIGNATURE"})
_DETACHED = "(detached content in aux)"


@dataclass(frozen=True, slots=True)
class Row:
    """A file of the corpus with what was expected and what came out.

    Attributes:
        file: its path in the corpus. expected: its class. strength: MUST, SHOULD or MAY.
        found: the worst verdict of its signatures, integrity only. reasons: why it is not a pass.
    """

    file: str
    expected: str
    strength: str
    found: Indication
    reasons: tuple[str, ...]

    @property
    def format(self) -> str:
        """The folder that it lies in."""
        return self.file.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Report:
    """What a corpus came to.

    Attributes:
        rows: every file.
    """

    rows: tuple[Row, ...]

    @property
    def false_passes(self) -> list[Row]:
        """Files that must not pass and do."""
        return [
            row for row in self.rows if row.expected in MUST_NOT_PASS and row.found is Indication.TOTAL_PASSED
        ]

    @property
    def wrong_no_signature(self) -> list[Row]:
        """Files called NO_SIGNATURE that have one, or the other way round."""
        return [
            row
            for row in self.rows
            if (row.expected == "NO_SIGNATURE") != (row.found is Indication.NO_SIGNATURE)
        ]

    @property
    def genuine(self) -> list[Row]:
        """MUST rows expected INTACT."""
        return [row for row in self.rows if (row.expected, row.strength) == ("INTACT", "MUST")]

    @property
    def refused(self) -> list[Row]:
        """The genuine ones that do not pass."""
        return [row for row in self.genuine if row.found is not Indication.TOTAL_PASSED]


def judge_corpus(folder: Path, at: datetime) -> Report:
    """Judge every file of ``folder``'s index for integrity alone, as ``lienthong verify --integrity-only`` does."""
    with (folder / "index.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return Report(tuple(_judged(folder, row, at) for row in rows))


def _judged(folder: Path, row: Mapping[str, str], at: datetime) -> Row:
    aux = row.get("aux") or ""
    detached = FileContent(folder / aux) if aux and _DETACHED in (row.get("why") or "") else None
    file = SignedFile(row["file"], FileContent(folder / row["file"]), detached)
    verdicts = verify(file, TrustStore(), at, integrity_only=True)
    reasons = tuple(
        f"{item.path}: {item.sub_indication or item.indication.value}: {'; '.join(item.messages[:1])}"
        for item in verdicts
        if item.indication is not Indication.TOTAL_PASSED
    )
    return Row(row["file"], row["expected"], row["strength"], worst(verdicts), reasons)


def _table(report: Report) -> Iterator[str]:
    counts = Counter((row.format, row.expected, row.strength, row.found.value) for row in report.rows)
    yield f"{'format':8} {'expected':18} {'strength':8} {'found':16} files"
    for (kind, expected, strength, found), count in sorted(counts.items()):
        yield f"{kind:8} {expected:18} {strength:8} {found:16} {count}"
    yield ""
    yield f"passes that must not be: {len(report.false_passes)}"
    yield from (f"  {row.file} (expected {row.expected}, {row.strength})" for row in report.false_passes)
    yield f"wrong about NO_SIGNATURE: {len(report.wrong_no_signature)}"
    yield from (f"  {row.file}: {row.found.value}" for row in report.wrong_no_signature)
    passed = len(report.genuine) - len(report.refused)
    share = f" ({passed / len(report.genuine):.1%})" if report.genuine else ""
    yield f"genuine (MUST, INTACT) that pass: {passed} of {len(report.genuine)}{share}"
    yield from (f"  {row.file}: {row.found.value}: {'; '.join(row.reasons)[:300]}" for row in report.refused)


def _summary(report: Report) -> dict[str, object]:
    return {
        "files": len(report.rows),
        "false_passes": [row.file for row in report.false_passes],
        "wrong_no_signature": [row.file for row in report.wrong_no_signature],
        "genuine": len(report.genuine),
        "genuine_passed": len(report.genuine) - len(report.refused),
        "refused": {row.file: row.found.value for row in report.refused},
        "found": {row.file: row.found.value for row in report.rows},
    }


def main(arguments: list[str] | None = None) -> int:
    """The command; exit status 1 when the corpus shows a false pass."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.signatures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    corpus = commands.add_parser("corpus", help="verdicts on a corpus with an index.tsv")
    corpus.add_argument("folder", type=Path)
    corpus.add_argument("--json", action="store_true")
    measured = commands.add_parser("speed", help="CPU of a verdict against a floor and other tools")
    measured.add_argument("--documents", type=int, default=200)
    measured.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if options.command == "speed":
        result = speed(options.documents)
        print(json.dumps(result, ensure_ascii=False, indent=None if options.json else 1))
        return 0
    report = judge_corpus(options.folder, datetime.now(UTC))
    print(json.dumps(_summary(report), ensure_ascii=False) if options.json else "\n".join(_table(report)))
    return 1 if report.false_passes else 0


if __name__ == "__main__":
    sys.exit(main())
