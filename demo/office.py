"""``python -m demo.office FOLDER`` writes the made-up office: the same bytes for the same seed.

``trust/`` and ``drop/`` are what an installation has; ``pki-private/`` holds the test PKI's private keys;
``office.json`` says what a whole run must make of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from demo.calendar import SHARED_A, SHARED_B, plan_office
from demo.exchange import Exchange, write_exchange
from demo.notes_export import NotesExport, export_notes
from demo.papers import issue
from demo.pki import Pki, build_pki, private_files, trust_files
from demo.report import REPORT_NAME, VERSION, OfficeReport, SamePair, read_report, write_report
from demo.signed_papers import Press
from demo.typefaces import load_typefaces
from schemas.errors import ConfigurationError, LienthongError

__all__ = ["OfficeReport", "generate", "main"]

_STAGING = ".office-in-work"
_PRIVATE = "pki-private"
_FOLDERS = ("drop", "trust", _PRIVATE)


def generate(folder: Path, seed: int = 2026, size: int = 120) -> OfficeReport:
    """Write the office of ``seed`` into ``folder``.

    ``size`` counts the ordinary Notes documents; there are two thirds as many ordinary packages, and the
    special cases come on top.

    A complete office is left as it is. A half-written one is written again: everything is made aside and
    moved into place file by file, the report last.

    Raises:
        ConfigurationError: ``size`` is below 1, another office lives in ``folder``, or the fonts are missing.
    """
    if size < 1:
        raise ConfigurationError(f"the office's size is {size}", where="size", expected="1 or more")
    found = read_report(folder / REPORT_NAME)
    if found is not None and (found.seed, found.size) != (seed, size):
        raise ConfigurationError(
            f"the folder {folder} holds the office of seed {found.seed} and size {found.size}",
            expected=f"an empty folder, or the office of seed {seed} and size {size}",
            action="choose another folder, or remove this one",
        )
    if found is not None and _is_complete(folder, found):
        return found
    return _write(folder, seed, size)


def main(arguments: list[str] | None = None) -> int:
    """The command; the exit status is 0 when the office stands."""
    parser = argparse.ArgumentParser(prog="python -m demo.office", description="Write the made-up office.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--size", type=int, default=120)
    options = parser.parse_args(arguments)
    try:
        report = generate(options.folder, options.seed, options.size)
    except LienthongError as error:
        print(error, file=sys.stderr)
        return 4
    for source in report.sources:
        print(f"{source}: {report.counts(source)}")
    return 0


def _write(folder: Path, seed: int, size: int) -> OfficeReport:
    staging = folder / _STAGING
    before = _names_in(folder / REPORT_NAME) | _names_in(staging / REPORT_NAME)
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir(parents=True)
    press = Press(seed, load_typefaces(), build_pki(seed))
    calendar = plan_office(seed, size)
    papers = issue(seed, calendar.plans.values())
    shared = {label: press.pdf(papers[label], "person_and_seal") for label in SHARED_A}
    notes = export_notes(press, calendar, papers, shared)
    exchange = write_exchange(press, calendar, papers, shared)
    digests = {}
    for name, data in _all_files(press.pki, notes, exchange):
        digests[name] = hashlib.sha256(data).hexdigest()
        _put(staging, name, data)
    report = OfficeReport(
        seed=seed,
        size=size,
        version=VERSION,
        records=(*notes.records, *exchange.records),
        same_as=_same_pairs(notes, exchange),
        listed_again=notes.listed_again,
        design_notes=notes.design_notes,
        digests=dict(sorted(digests.items())),
    )
    write_report(report, staging / REPORT_NAME)
    for stale in before - digests.keys():
        (folder / stale).unlink(missing_ok=True)
    _move_into_place(folder, staging, report)
    return report


def _all_files(pki: Pki, notes: NotesExport, exchange: Exchange) -> Iterator[tuple[str, bytes]]:
    yield from ((f"trust/{name}", data) for name, data in trust_files(pki))
    yield from ((f"{_PRIVATE}/{name}", data) for name, data in private_files(pki))
    yield from ((f"drop/{name}", data) for name, data in notes.files.items())
    yield from ((f"drop/{name}", data) for name, data in exchange.files.items())


def _same_pairs(notes: NotesExport, exchange: Exchange) -> tuple[SamePair, ...]:
    graded = [(label, "A") for label in SHARED_A] + [(label, "B") for label in SHARED_B]
    return tuple(SamePair(notes.keys[label], exchange.keys[label], grade) for label, grade in graded)


def _put(staging: Path, name: str, data: bytes) -> None:
    private = name.startswith(_PRIVATE)
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def _move_into_place(folder: Path, staging: Path, report: OfficeReport) -> None:
    (folder / REPORT_NAME).unlink(missing_ok=True)
    (folder / _PRIVATE).mkdir(mode=0o700, exist_ok=True)
    (folder / _PRIVATE).chmod(0o700)
    for name in report.digests:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(target)
    (staging / REPORT_NAME).replace(folder / REPORT_NAME)
    shutil.rmtree(staging)


def _names_in(report: Path) -> set[str]:
    """The files that a report of any version names, as far as they are below our own folders."""
    try:
        digests = json.loads(report.read_text(encoding="utf-8"))["digests"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
    paths = {str(name): PurePosixPath(str(name)).parts for name in digests}
    return {name for name, parts in paths.items() if parts and parts[0] in _FOLDERS and ".." not in parts}


def _is_complete(folder: Path, report: OfficeReport) -> bool:
    for name, digest in report.digests.items():
        try:
            data = (folder / name).read_bytes()
        except FileNotFoundError:
            return False
        if hashlib.sha256(data).hexdigest() != digest:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
