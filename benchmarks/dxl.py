"""Speed of reading DXL exports, beside a floor in the same run: ``lxml.etree.iterparse`` alone over the same file.

``python -m benchmarks.dxl [--json] [--megabytes N] [--rounds N] [--export FILE]`` measures two made-up exports, one of
documents of 6 KB and one of 5 MB, or the given one. Timed is processor time, because the machine is shared:

- *floor*: every element is parsed and cleared, nothing is kept;
- *inspect*: the whole way of ``lienthong inspect --json``: every record with all values, the text of rich text, decoded
  files, the SHA-256 of the record's state and of every file, as a line of JSON;
- *night*: the whole way of a night until records are handed on: inventory, then fetch, which proves that the bytes are
  those that were listed. It reads the export twice.

``ratio_to_iterparse`` is the worse *inspect* of the two exports; each export has both ratios. The peak of resident
memory is that of a process of its own that inspects the export and does nothing else.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from benchmarks.dxl_exports import generate
from connectors.lotus_notes.folder import DxlFolder
from connectors.lotus_notes.inspect import inspect_dxl
from schemas.record import SourceRecord, Window

_SIZES = {"6_KB": 0, "5_MB": 3_670_000}
_BATCH = 200


def main() -> None:
    """Generates, measures, prints."""
    arguments = argparse.ArgumentParser(description="speed of reading DXL")
    arguments.add_argument("--json", action="store_true", help="print one JSON object on one line")
    arguments.add_argument("--megabytes", type=int, default=50, help="of each made-up export")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--export", type=Path, help="measure this export instead")
    arguments.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.peak is not None:
        _inspect(given.peak)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    found = {}
    if given.export is not None:
        found[given.export.name] = measure(given.export, given.rounds)
    else:
        with tempfile.TemporaryDirectory() as folder:
            for size, attachment in _SIZES.items():
                path = Path(folder, f"{size}.dxl")
                generate(path, given.megabytes * 1_000_000, attachment)
                found[size] = measure(path, given.rounds)
                path.unlink()
    worst = max(each["inspect_ratio"] for each in found.values())
    print(json.dumps({"ratio_to_iterparse": worst} | found, indent=None if given.json else 1))


def measure(path: Path, rounds: int) -> dict[str, float]:
    """Figures of one export: the best of each way in ``rounds`` rounds, the ways taking turns."""
    ways: dict[str, Callable[[Path], int]] = {"floor": _floor, "inspect": _inspect, "night": _night}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    documents = 0
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.process_time()
            documents = way(path)
            seconds[name].append(time.process_time() - begun)
    best = {name: min(taken) for name, taken in seconds.items()}
    megabytes = path.stat().st_size / 1e6
    return {
        "megabytes": round(megabytes, 1),
        "documents": documents,
        "floor_mb_s": round(megabytes / best["floor"], 1),
        "inspect_mb_s": round(megabytes / best["inspect"], 1),
        "inspect_documents_s": round(documents / best["inspect"], 1),
        "inspect_ratio": round(best["inspect"] / best["floor"], 2),
        "night_mb_s": round(megabytes / best["night"], 1),
        "night_documents_s": round(documents / best["night"], 1),
        "night_ratio": round(best["night"] / best["floor"], 2),
        "peak_rss_mb": _peak(path),
    }


def _floor(path: Path) -> int:
    for _, element in etree.iterparse(str(path), huge_tree=True):
        element.clear()
    return 0


def _inspect(path: Path) -> int:
    documents = 0
    for record in inspect_dxl(path):
        json.dumps(record, ensure_ascii=False)
        documents += 1
    return documents


def _night(path: Path) -> int:
    source = DxlFolder("benchmark", path)
    listings = list(source.inventory(Window()))
    for start in range(0, len(listings), _BATCH):
        for answer in source.fetch(listings[start : start + _BATCH]):
            assert isinstance(answer, SourceRecord)
    return len(listings)


def _peak(path: Path) -> int:
    command = [sys.executable, "-m", "benchmarks.dxl", "--peak", str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
