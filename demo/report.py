"""What the made-up office says of itself: the truth against which a whole run is asserted.

The generator states it while it writes; nothing here comes from reading the files back.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

VERSION = 4
"""Raised when the same seed gives other bytes than before: an office of an older version is written anew."""

REPORT_NAME = "office.json"

NOTES = "notes_van_ban"
EXCHANGE = "dieu_hanh"

ARCHIVED = "archived"
QUARANTINED = "quarantined"
WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file that a record carries, and what verification must say of it.

    Attributes:
        name: as the record names it.
        sha256, size: of the bytes after the transport's wrapping.
        case: our own name for what was done to it (``person_and_seal``, ``tampered`` …).
        roles: who made each signature that can still be found, in order: ``PERSON`` or ``ORGAN``.
        verdicts: indications that are right for the file as a whole; any other is wrong.
        defects: defects that its reading must name.
    """

    name: str
    sha256: str
    size: int
    case: str
    roles: tuple[str, ...]
    verdicts: tuple[str, ...]
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedRecord:
    """A record of a source and its only right outcome.

    Attributes:
        source: ``notes_van_ban`` or ``dieu_hanh``.
        case: our own name for why it is there; ``ordinary`` for most.
        file: path below the drop folder of the file that holds it; the first one where several do.
        key: identity in the source (UNID, DocumentId), ``""`` for what cannot be read.
        outcome: ``archived``, ``quarantined`` or ``withheld``.
        reason: why it is quarantined (``mapping_error``, ``unreadable``), else ``""``.
        level: độ mật of what is withheld, else ``""``.
        kind: ``document``, ``status`` or ``other``.
        symbol: số, ký hiệu; number and notation apart beside it.
        issued_date: ISO 8601; ``""`` where there is none or none that exists.
        issuer: tên cơ quan ban hành; ``""`` where the record does not say it (Notes, văn bản đi).
        subject: trích yếu in NFC Unicode, as a reader of the source sees it.
        relations: kind of relation and key of the other document.
        files: what it carries, in order. message_signatures: how many signatures the record itself has.
        flags: what normalising must remark (``impossible_date`` …).
    """

    source: str
    case: str
    file: str
    key: str
    outcome: str
    kind: str = "document"
    reason: str = ""
    level: str = ""
    number: str = ""
    notation: str = ""
    symbol: str = ""
    issued_date: str = ""
    issuer: str = ""
    subject: str = ""
    relations: tuple[tuple[str, str], ...] = ()
    files: tuple[ExpectedFile, ...] = ()
    message_signatures: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SamePair:
    """One document that both systems hold: ``A`` with the very same file, ``B`` by its identity only."""

    notes_key: str
    exchange_key: str
    grade: str


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """The account of one source: ``listed = archived + quarantined + withheld``."""

    listed: int
    archived: int
    quarantined: int
    withheld: int
    relations: int


@dataclass(frozen=True, slots=True)
class OfficeReport:
    """The whole office.

    Attributes:
        listed_again: records that one source shows twice with the same content; they count once.
        design_notes: notes of the exports that are no documents and are not listed.
        digests: SHA-256 of every generated file by its path below the office's folder.
    """

    seed: int
    size: int
    version: int
    records: tuple[ExpectedRecord, ...]
    same_as: tuple[SamePair, ...]
    listed_again: int
    design_notes: int
    digests: dict[str, str]

    def of(self, source: str) -> tuple[ExpectedRecord, ...]:
        """The records of ``source``."""
        return tuple(record for record in self.records if record.source == source)

    def case(self, name: str) -> ExpectedRecord:
        """The one record made for the case ``name``; ``KeyError`` when there is not exactly one."""
        found = [record for record in self.records if record.case == name]
        if len(found) != 1:
            raise KeyError(name)
        return found[0]

    def counts(self, source: str) -> SourceCounts:
        """The account of ``source``."""
        records = self.of(source)
        outcomes = Counter(record.outcome for record in records)
        return SourceCounts(
            listed=len(records),
            archived=outcomes[ARCHIVED],
            quarantined=outcomes[QUARANTINED],
            withheld=outcomes[WITHHELD],
            relations=sum(len(record.relations) for record in records if record.outcome == ARCHIVED),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources' names."""
        return (NOTES, EXCHANGE)


def write_report(report: OfficeReport, path: Path) -> None:
    """Write ``report`` as JSON with the counts beside it for a person to read."""
    counts = {source: asdict(report.counts(source)) for source in report.sources}
    document: dict[str, Any] = {"counts": counts, **asdict(report)}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_report(path: Path) -> OfficeReport | None:
    """The report at ``path``; ``None`` when there is none that this version wrote."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(document, dict) or document.pop("version", None) != VERSION:
        return None
    document.pop("counts", None)
    return TypeAdapter(OfficeReport).validate_python({**document, "version": VERSION})
