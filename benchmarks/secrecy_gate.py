"""How many marks of secrecy the gate finds, what it withholds without need, and what looking costs.

Run ``python -m benchmarks.secrecy_gate``. The measured set is that of the tests: strings in
``tests/mappings/data/secrecy_strings.yaml``, page layouts in ``tests/mappings/secrecy_pages.py``. Prints a table,
then every mark that was missed and every false positive, then processor time a record. The exit status is 1 when
a mark was missed.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from mappings.config import SourceConfig, load_sources
from mappings.engine import normalise
from mappings.secrecy import screen
from schemas.record import Attachment, BytesContent, Field, Listing, SourceRecord
from tests.mappings.secrecy_pages import LAYOUTS, ORDINARY_PAGES
from tests.mappings.secrecy_strings import cases, found_level

_LEVELS = {"MẬT": "mat", "TỐI MẬT": "toi_mat", "TUYỆT MẬT": "tuyet_mat"}
_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class _Judged:
    """One case: its group, what it is, the level that it has and the one that was found."""

    group: str
    name: str
    level: str | None
    found: str | None


def main() -> int:
    """Measure, print, and say whether every mark was found."""
    config = load_sources()["notes_van_ban"]
    groups: dict[str, list[_Judged]] = defaultdict(list)
    for judged in (*_strings(), *_pages(config)):
        groups[judged.group].append(judged)
    print(f"{'':12}{'marks':>7}{'found':>7}{'recall':>8}{'ordinary':>10}{'withheld':>10}{'precision':>11}")
    for group, members in (*groups.items(), ("all", [one for held in groups.values() for one in held])):
        _print_row(group, members)
    missed = [one for held in groups.values() for one in held if one.level and one.found != one.level]
    for title, listed in (
        ("missed, or of another level", missed),
        ("false positives", [one for held in groups.values() for one in held if one.found and not one.level]),
    ):
        print(f"\n{title}: {len(listed)}")
        for one in listed:
            print(f"  {one.group}: {one.name!r} {one.level} {one.found}")
    _print_cost(config)
    return 1 if missed else 0


def _print_row(group: str, members: list[_Judged]) -> None:
    marks = [one for one in members if one.level]
    found = sum(one.found == one.level for one in marks)
    withheld = sum(bool(one.found) for one in members if not one.level)
    precision = found / (found + withheld)
    print(
        f"{group:12}{len(marks):7}{found:7}{found / len(marks):8.1%}{len(members) - len(marks):10}"
        f"{withheld:10}{precision:11.1%}"
    )


def _strings() -> Iterator[_Judged]:
    for case in cases():
        yield _Judged(case.place, case.string, case.level, found_level(case))


def _pages(config: SourceConfig) -> Iterator[_Judged]:
    for name, layout in LAYOUTS.items():
        for mark, level in _LEVELS.items():
            yield _Judged("page", f"{name}, {mark}", level, _screened(layout(mark), config))
    for name, data in ORDINARY_PAGES.items():
        yield _Judged("page", name, None, _screened(data, config))


def _screened(data: bytes, config: SourceConfig) -> str | None:
    finding = screen(_record((Attachment("van_ban.dat", BytesContent(data)),)), config)
    return finding.level if finding else None


def _record(files: tuple[Attachment, ...]) -> SourceRecord:
    fields = {
        "SoKyHieu": "160-KL/TU", "NgayVanBan": "2012-03-05", "DoMat": "Thường", "LoaiVanBan": "Kết luận",
        "CoQuanBanHanh": "Tỉnh ủy Bình Phước", "TrichYeu": "Về công tác dân vận và bảo vệ bí mật nhà nước",
        "NoiDung": "Căn cứ Nghị định số 33/2002/NĐ-CP ngày 28/3/2002 của Chính phủ;\nxét tình hình\n" * 40,
    }  # fmt: skip
    return SourceRecord(
        Listing("K", "1", "k"),
        "document",
        "VanBanDen",
        BytesContent(b""),
        "application/xml",
        tuple(Field(name, "text", (value,)) for name, value in fields.items()),
        files,
    )


def _print_cost(config: SourceConfig) -> None:
    page = (Attachment("160-KL-TU.pdf", BytesContent(ORDINARY_PAGES["pdf: a conclusion"])),)
    print("\nprocessor time a record, in ms")
    for name, record, work in (
        ("gate, no file", _record(()), screen),
        ("gate, a PDF of one page", _record(page), screen),
        ("normalise", _record(()), normalise),
    ):
        started = time.process_time()
        for _ in range(_ROUNDS):
            work(record, config)
        print(f"  {name:26}{(time.process_time() - started) / _ROUNDS * 1000:8.3f}")


if __name__ == "__main__":
    sys.exit(main())
