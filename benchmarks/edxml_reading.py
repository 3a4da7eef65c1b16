"""How fast edXML packages are listed and read, against the least that must be done with their bytes.

Run ``python -m benchmarks.edxml_reading``. The floor reads each file, decodes its base64 and hashes file and
payload; the second floor also parses the file with lxml. Prints one JSON line a case: MB/s of processor time,
its ratios to both floors, and how far resident memory rose while reading (Linux).
"""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from lxml import etree

from connectors.operations.folder import EdxmlFolder
from connectors.operations.package import DocumentPackage, Organ, PackageFile
from connectors.operations.writer import write_document
from schemas.record import SourceRecord, Window, sha256_of

_CASES = (("20 kB, raw", 12_000, 300, False), ("20 kB, in a ZIP", 12_000, 300, True))
_LARGE = (("20 MB, raw", 20_000_000, 4, False), ("20 MB, in a ZIP", 20_000_000, 4, True))
_ROUNDS = 3


def main() -> None:
    """Measure every case."""
    for name, size, count, zipped in (*_CASES, *_LARGE):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            for number in range(count):
                (folder / f"{number:05}.edxml").write_bytes(_package(number, size, zipped))
            print(json.dumps(_measure(name, folder, count)))


def _package(number: int, size: int, zipped: bool) -> bytes:
    data = b"%PDF-1.4\n" + random.Random(number).randbytes(size)
    return write_document(
        DocumentPackage(
            sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
            recipients=tuple(Organ(f"000.00.{to:02}.H10", "Đảng ủy xã") for to in range(10)),
            document_id=f"000.00.00.H10,2025/03/14,{number}-CV/VPTU",
            code_number=str(number),
            code_notation="CV/VPTU",
            promulgation_date=date(2025, 3, 14),
            subject="Về việc báo cáo tình hình thực hiện nhiệm vụ quý I",
            type_name="Công văn",
            files=(PackageFile("cong-van.pdf", data, zipped=zipped),),
        )
    )


def _measure(name: str, folder: Path, count: int) -> dict[str, object]:
    files = sorted(folder.iterdir())
    size = sum(file.stat().st_size for file in files) / 1e6
    source = EdxmlFolder("benchmark", folder)
    listings = list(source.inventory(Window()))
    floor = _best(lambda: _floor(files))
    parsing_floor = _best(lambda: _parsing_floor(files))
    listing = _best(lambda: sum(1 for _ in source.inventory(Window())))
    # Memory that the floors freed would hide the growth, so it is measured by one pass in a fresh process.
    grown = _grown_memory(folder)
    fetching = _best(lambda: sum(_consume(answer) for answer in source.fetch(listings)))
    return {
        "case": name,
        "packages": count,
        "floor_mb_s": round(size / floor),
        "inventory_mb_s": round(size / listing),
        "fetch_mb_s": round(size / fetching),
        "fetch_packages_s": round(count / fetching, 1),
        "fetch_to_floor": round(fetching / floor, 2),
        "fetch_to_floor_with_lxml": round(fetching / parsing_floor, 2),
        "rss_growth_mb": round(grown, 1),
    }


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_ROUNDS):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def _consume(answer: object) -> int:
    """Read what was fetched as the archive would: every attachment is hashed."""
    assert isinstance(answer, SourceRecord), answer
    return len([sha256_of(attachment.content) for attachment in answer.attachments])


def _floor(files: list[Path]) -> None:
    for file in files:
        data = file.read_bytes()
        hashlib.sha256(data).hexdigest()
        start = data.index(b"<edXML:ContentTransferEncoded>") + len(b"<edXML:ContentTransferEncoded>")
        payload = base64.b64decode(data[start : data.index(b"<", start)])
        hashlib.sha256(payload).hexdigest()


def _parsing_floor(files: list[Path]) -> None:
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
