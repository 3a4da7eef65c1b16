"""Speed of reading DXL exports, beside a floor in the same run: the bytes through expat with no handlers.

``python -m benchmarks.dxl_reading [--megabytes N]`` prints one JSON object: MB/s, ratios to the floor, and
the peak of resident memory in MB, for small documents and for large ones. The exports are generated.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from connectors.lotus_notes.folder import DxlFolder
from schemas.record import SourceRecord, Window

_HEAD = "<?xml version='1.0'?>\n<database xmlns='http://www.lotus.com/dxl' replicaid='472572A1000FBC01'>\n"
_WORDS = [
    "về",
    "việc",
    "triển",
    "khai",
    "kế",
    "hoạch",
    "công",
    "tác",
    "kiểm",
    "tra",
    "giám",
    "sát",
    "của",
    "Ban",
    "Thường",
    "vụ",
    "Tỉnh",
    "ủy",
    "năm",
]
_BATCH = 500


def main() -> None:
    """Generates, measures, prints."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--megabytes", type=int, default=60)
    megabytes = arguments.parse_args().megabytes
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, attachment in (("documents_6kB", 0), ("documents_5MB", 3_700_000)):
            path = Path(folder, f"{kind}.dxl")
            generate(path, megabytes * 1_000_000, attachment)
            result[kind] = measure(path)
    print(
        json.dumps(
            result | {"peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}, indent=1
        )
    )


def generate(path: Path, size: int, attachment: int) -> None:
    """An export of about ``size`` bytes; every document carries ``attachment`` bytes beside its text."""
    chance = random.Random(25)
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        number = 0
        while file.tell() < size:
            number += 1
            file.write(_document(number, chance, attachment))
        file.write("</database>\n")


def measure(path: Path) -> dict[str, float]:
    """MB/s of the floor, of an inventory and of fetching everything."""
    source = DxlFolder("benchmark", path)
    megabytes = path.stat().st_size / 1e6
    listings = list(source.inventory(Window()))

    def fetch() -> None:
        for start in range(0, len(listings), _BATCH):
            for answer in source.fetch(listings[start : start + _BATCH]):
                assert isinstance(answer, SourceRecord)

    floor = _best(lambda: _floor(path))
    inventory = _best(lambda: list(source.inventory(Window())))
    fetched = _best(fetch)
    return {
        "documents": len(listings),
        "floor_mb_s": round(megabytes / floor, 1),
        "inventory_mb_s": round(megabytes / inventory, 1),
        "inventory_to_floor": round(inventory / floor, 2),
        "fetch_mb_s": round(megabytes / fetched, 1),
        "fetch_to_floor": round(fetched / floor, 2),
    }


def _best(action: Callable[[], object], times: int = 3) -> float:
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def _floor(path: Path) -> None:
    parser = expat.ParserCreate()
    with path.open("rb") as file:
        while piece := file.read(4 << 20):
            parser.Parse(piece, False)
    parser.Parse(b"", True)


def _document(number: int, chance: random.Random, attachment: int) -> str:
    def words(count: int) -> str:
        return " ".join(chance.choices(_WORDS, k=count))

    moment = f"<datetime>2012{1 + number % 12:02}{1 + number % 28:02}T08{number % 60:02}00,00+07</datetime>"
    dates = "".join(
        f"<{name}>{moment}</{name}>" for name in ("created", "modified", "revised", "addedtofile")
    )
    items = "".join(f"<item name='Truong{at}'><text>{words(6)}</text></item>\n" for at in range(24))
    paragraphs = "".join(
        f"<par def='1'><run><font name='.VnTime' size='13pt'/>{words(20)}</run></par>\n" for _ in range(12)
    )
    body = f"<item name='Body'><richtext><pardef id='1'/>{paragraphs}</richtext></item>\n"
    file = ""
    if attachment:
        data = base64.encodebytes(chance.randbytes(attachment)).decode("ascii")
        file = (
            f"<item name='$FILE'><object><file hosttype='msdos' name='{number}.pdf' size='{attachment}'>"
            f"<filedata>\n{data}</filedata></file></object></item>\n"
        )
    return (
        f"<document form='VanBanDen'>\n<noteinfo noteid='{number:x}' unid='{number:032X}' sequence='1'>"
        f"{dates}</noteinfo>\n<updatedby><name>CN=Van thu/O=VPTU</name></updatedby>\n"
        f"{items}{body}{file}</document>\n"
    )


if __name__ == "__main__":
    main()
