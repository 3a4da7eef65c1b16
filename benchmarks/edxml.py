"""How fast edXML packages are read, against the least that must be done with their bytes.

``python -m benchmarks.edxml --json`` prints one object. The floor, measured in the same run over the same files,
reads each file, parses it with lxml, decodes its base64, and hashes file and payload. Reading is what the
product does with a listed package: open it, hash it, read every field, check it by every rule, decode and hash
each attachment. Listing is the pass before it, which the floor has no equal of; its cost is told apart, and
together with reading as ``listing_and_reading_to_floor``. Times are of the processor, so that other work on the
machine does not count; ``ratio_to_floor`` is the worse of both sizes.

The packages come in twenty-two shapes: they differ in recipients, steps and optional elements, not only in texts. What
is read again finds its tags known, as most packages of a source do; ``reading_unknown_to_floor`` is what reading
costs when no tags are ever known.
"""

from __future__ import annotations

import argparse
import base64
import gc
import hashlib
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

from lxml import etree

from connectors.operations.folder import EdxmlFolder
from connectors.operations.moments import LOCAL
from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    Signer,
    Trace,
)
from connectors.operations.shapes import shape_of
from connectors.operations.writer import write_document
from schemas.record import SourceRecord, Unreadable, Window, sha256_of

_CASES = (("20 kB", 11_000, 500, 20), ("20 MB", 15_000_000, 4, 5))
"""Name, bytes of the file, packages, and rounds, the fastest of which counts: short ones are disturbed more."""
_DEPARTMENTS = (
    Organ("000.00.12.H10", "Sở Y tế", "Ủy ban nhân dân tỉnh"),
    Organ("000.00.13.H10", "Sở Nội vụ", "Ủy ban nhân dân tỉnh"),
    Organ("000.00.14.H10", "Ban Tổ chức Tỉnh ủy"),
)
_MAX_RATIO = 2.0
_MAX_GROWTH_MB = 120


def main() -> None:
    """Measure both sizes; the exit status is 1 when a figure misses its mark."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments.add_argument("--zipped", action="store_true", help="attachments in a ZIP of one entry")
    chosen = arguments.parse_args()
    sizes = {name: _measured(size, count, rounds, chosen.zipped) for name, size, count, rounds in _CASES}
    ratio = max(figure["reading_to_floor"] for figure in sizes.values())
    growth = max(figure["rss_growth_mb"] for figure in sizes.values())
    if chosen.json:
        print(json.dumps({"ratio_to_floor": ratio, "rss_growth_mb": growth, "sizes": sizes}))
    else:
        for name, figure in sizes.items():
            print(name, json.dumps(figure))
        print("ratio_to_floor", ratio)
    sys.exit(ratio > _MAX_RATIO or growth > _MAX_GROWTH_MB)


def _package(number: int, size: int, zipped: bool) -> bytes:
    """A package with the elements that real ones of 18 kB have, sixty to eighty; its one file holds ``size`` random
    bytes, which no ZIP makes smaller."""
    data = (
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + random.Random(number).randbytes(size) + b"\nstartxref\n0\n%%EOF\n"
    )
    sender = Organ(
        "000.00.00.H10",
        "Văn phòng Tỉnh ủy",
        "Tỉnh ủy",
        "Số 1 đường Hòa Bình",
        "vanthu@demo.invalid",
        "0200 000 000",
        "0200 000 001",
        "demo.invalid",
    )
    recipients = _DEPARTMENTS[: 1 + number % 3]
    sent_at = datetime(2025, 3, 14, 16, 5, 9, tzinfo=LOCAL)
    received = [Trace(organ.organ_id, sent_at.replace(minute=20)) for organ in recipients[: number % 4]]
    return write_document(
        DocumentPackage(
            sender=sender,
            recipients=recipients,
            document_id=f"000.00.00.H10,2025/03/14,{number}-CV/VPTU",
            code_number=str(number),
            code_notation="CV/VPTU",
            promulgation_date=date(2025, 3, 14),
            place="Đồng Xoài",
            subject="Về việc báo cáo tình hình thực hiện nhiệm vụ quý I",
            content="Báo cáo tình hình thực hiện nhiệm vụ quý I",
            type_name="Công văn",
            signer=Signer("Nguyễn Văn A", "Chánh Văn phòng", "TL."),
            due_date=date(2025, 4, 1) if number % 5 else None,
            to_places=("Như trên", "Lưu")[: 1 + number % 2],
            sphere="Liên thông văn bản trong tỉnh",
            typer_notation="NTM",
            promulgation_amount=10,
            page_amount=2,
            trace=(Trace("000.00.00.H10", sent_at), *received),
            business=Business("0"),
            files=(PackageFile("cong-van.pdf", data, zipped=zipped),),
        )
    )


def _measured(size: int, count: int, rounds: int, zipped: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for number in range(count):
            (folder / f"{number:05}.edxml").write_bytes(_package(number, size, zipped))
        # Memory that the floor freed would hide the growth, so it is measured in a fresh process.
        grown = _grown_memory(folder)
        return {**_times(folder, count, rounds), "rss_growth_mb": round(grown, 1)}


def _times(folder: Path, count: int, rounds: int) -> dict[str, float]:
    files = sorted(folder.iterdir())
    size = sum(file.stat().st_size for file in files)
    source = EdxmlFolder("benchmark", folder)
    listings = list(source.inventory(Window()))
    works: dict[str, Callable[[], object]] = {
        "floor": lambda: _floor(files),
        "listing": lambda: sum(1 for _ in source.inventory(Window())),
        "reading": lambda: sum(_consume(answer) for answer in source.fetch(listings)),
        "unknown": lambda: sum(_consume(answer) for answer in _forgetting(source.fetch(listings))),
    }
    times = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            gc.collect()
            start = time.process_time()
            work()
            times[name] = min(times[name], time.process_time() - start)
    return {
        "packages": count,
        "bytes_a_package": size // count,
        "packages_s": round(count / times["reading"], 1),
        "mb_s": round(size / times["reading"] / 1e6, 1),
        "floor_packages_s": round(count / times["floor"], 1),
        "listed_packages_s": round(count / times["listing"], 1),
        "reading_to_floor": round(times["reading"] / times["floor"], 2),
        "reading_unknown_to_floor": round(times["unknown"] / times["floor"], 2),
        "listing_and_reading_to_floor": round((times["listing"] + times["reading"]) / times["floor"], 2),
    }


def _forgetting(answers: Iterator[SourceRecord | Unreadable]) -> Iterator[SourceRecord | Unreadable]:
    for answer in answers:
        shape_of.cache_clear()
        yield answer


def _consume(answer: object) -> int:
    """Read what was fetched as the archive would: every attachment is hashed."""
    assert isinstance(answer, SourceRecord), answer
    assert not answer.defects, answer.defects
    return len([sha256_of(attachment.content) for attachment in answer.attachments])


def _floor(files: list[Path]) -> None:
    parser = etree.XMLParser(huge_tree=True, resolve_entities=False)
    for file in files:
        data = file.read_bytes()
        hashlib.sha256(data).hexdigest()
        root = etree.fromstring(data, parser)
        (text,) = (element.text for element in root.iter("{*}ContentTransferEncoded"))
        hashlib.sha256(base64.b64decode(text)).hexdigest()


def _grown_memory(folder: Path) -> float:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_fetch_and_measure, (folder,))


def _fetch_and_measure(folder: Path) -> float:
    source = EdxmlFolder("benchmark", folder)
    before = _memory("VmRSS")
    for answer in source.fetch(list(source.inventory(Window()))):
        _consume(answer)
    return _memory("VmHWM") - before


def _memory(name: str) -> float:
    """Megabytes of this process's own pages: ``getrusage`` would count its parent's as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1000


if __name__ == "__main__":
    main()
