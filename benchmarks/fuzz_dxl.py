"""Damages made-up DXL exports and reads them: ``python -m benchmarks.fuzz_dxl --minutes 10 [--seed N]``.

Each case is an export that conforms to the DTD (``tests/connectors/dxl_strategies.py``), damaged in one of its records
or anywhere. It fails when reading

- raises anything, takes more than 5 seconds, or memory beyond the guard;
- answers a listing not once, or otherwise in one pass than in inventory and fetch;
- says nothing of why something is unreadable;
- loses or changes a record that stands beside the damaged one.

A failing export is written to the folder of temporary files, and the run ends with exit status 1. The figures are one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from connectors.lotus_notes.folder import DxlFolder
from schemas.record import SourceRecord, Unreadable, Window, sha256_of
from tests.connectors.dxl_strategies import MadeExport, exports
from tests.connectors.test_dxl_roundtrip import check

_HANG = 5.0
_MEMORY = 3 << 30
_DAMAGES_EACH = 12
_ROUND = 200
_TOKENS = [
    b"<", b">", b"&", b"'", b'"', b"\0", b"\xff\xfe", b"\xc3", b"]]>", b"-->", b"?>", b"/>", b"<!--", b"<![CDATA[",
    b"<?x", b"</document>", b"<document>", b"</item>", b"<item name='x'>", b"</database>", b"<database>",
    b"<note class='form'>", b"&lol;", b"&#0;", b"&#xD800;", b"<!DOCTYPE a [<!ENTITY lol 'x'>]>", b"<filedata>",
    b"</filedata>", b"<richtext>", b"</richtext>", b"<a>" * 250, b"<a>" * 40_000, b" a=''" * 3000, b"A" * 100_000,
    b"<break/>", b"<nonxmlchar value='110000'/>", b"<datetime>9</datetime>", b"<dxl:item/>", b"=" * 9, b"\r",
]  # fmt: skip

_BEYOND = (b"<!", b"<?", b"database")
_STARTS = (b"<document", b"<note ", b"<note>", b"<note\n", b"<note\t", b"<note\r", b"<profiledocument")
_ENDS = (b"</document", b"</note>", b"</note ", b"</profiledocument")
"""What may change how the bytes outside the damaged record are to be read."""


class HangError(Exception):
    """A case took too long."""


def main() -> None:
    """Damages and reads until the time is over."""
    arguments = argparse.ArgumentParser(description="damage DXL exports and read them")
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    given_ = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _hang)
    counts: Counter[str] = Counter()
    end = time.monotonic() + given_.minutes * 60
    failure = ""
    turn = 0
    while time.monotonic() < end and not failure:
        failure = _round(given_.seed + turn, end, counts)
        turn += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seed": given_.seed, **counts, "peak_rss_mb": peak, "failure": failure}))
    sys.exit(1 if failure else 0)


def _round(seed: int, end: float, counts: Counter[str]) -> str:
    """Some cases; what failed, or ``""``."""
    failed: list[str] = []

    @seeded(seed)
    @settings(
        max_examples=_ROUND,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(exports(), st.integers(0, 1 << 32))
    def look(made: MadeExport, chance: int) -> None:
        if failed or time.monotonic() > end:
            return
        counts["exports"] += 1
        for turn in range(_DAMAGES_EACH):
            damage = Damage(made, random.Random(chance + turn))
            try:
                read(damage, counts)
            except Exception as error:
                path = Path(tempfile.gettempdir(), f"lienthong-fuzz-{seed}-{turn}.dxl")
                path.write_bytes(damage.data)
                failed.append(f"{type(error).__name__}: {str(error)[:500]} ({path})")
                return

    look()
    return failed[0] if failed else ""


class Damage:
    """A damaged export.

    Attributes:
        data: its bytes.
        whole: the records that it holds undamaged, where that can be told, else ``None``.
    """

    def __init__(self, made: MadeExport, chance: random.Random) -> None:
        at = chance.randrange(len(made.records))
        encoded = [record.xml.encode(made.encoding, "xmlcharrefreplace") for record in made.records]
        start = made.data.find(encoded[at]) if made.encoding != "utf-16" else -1
        if start < 0 or chance.random() < 0.2:
            self.data = _damaged(made.data, chance)
            self.whole = None
            return
        end = start + len(encoded[at])
        broken = _damaged(encoded[at], chance)
        self.data = made.data[:start] + broken + made.data[end:]
        plain = encoded.count(encoded[at]) == 1 and not any(mark in broken for mark in _BEYOND)
        plain = plain and sum(map(broken.count, _STARTS)) < 2 and sum(map(broken.count, _ENDS)) < 2
        self.whole = [record for record in made.records if record is not made.records[at]] if plain else None


def _damaged(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 5))):
        first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        last = min(last, first + chance.choice((1, 4, 60, 5000)))
        kind = chance.randrange(5)
        if kind == 0:
            data = data[:first] + chance.choice(_TOKENS) + data[first:]
        elif kind == 1:
            data = data[:first] + chance.choice(_TOKENS) + data[last:]
        elif kind == 2:
            data = data[:first] + data[last:]
        elif kind == 3:
            data = data[:last] + data[first:last] + data[last:]
        else:
            data = data[:first] + chance.randbytes(min(3, last - first)) + data[min(last, first + 3) :]
        if not data:
            break
    return data


def read(damage: Damage, counts: Counter[str]) -> None:
    """Reads a case both ways and compares."""
    counts["cases"] += 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged.dxl")
        path.write_bytes(damage.data)
        signal.setitimer(signal.ITIMER_REAL, _HANG)
        try:
            source = DxlFolder("fuzz", path)
            answers = list(source.records())
            listings = list(source.inventory(Window()))
            again = list(source.fetch(listings))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    assert [told(answer) for answer in again] == [told(answer) for answer in answers]
    assert [answer.listing for answer in again] == listings
    for answer in answers:
        if isinstance(answer, Unreadable):
            assert all((answer.reason, answer.message, answer.where)), answer
            counts["unreadable"] += 1
        else:
            counts["records"] += 1
            counts["records_with_defects"] += bool(answer.defects)
    _compare(damage, answers, counts)


def _compare(damage: Damage, answers: list[SourceRecord | Unreadable], counts: Counter[str]) -> None:
    """Every undamaged record is there, in order."""
    if damage.whole is None:
        return
    counts["neighbours_compared"] += len(damage.whole)
    left = iter(answers)
    for record in damage.whole:
        for answer in left:
            try:
                check(answer, record)
            except (AssertionError, ValueError):
                continue
            break
        else:
            raise AssertionError(f"an undamaged <{record.element}> {record.unid} was lost or changed")


def told(answer: SourceRecord | Unreadable) -> object:
    """What an answer says, in values that compare."""
    if isinstance(answer, Unreadable):
        digest = sha256_of(answer.original) if answer.original is not None else ""
        return answer.reason, answer.message, answer.where, digest
    files = [(file.name, sha256_of(file.content), file.defects) for file in answer.attachments]
    return answer.form, answer.fields, files, answer.defects, sha256_of(answer.original), dict(answer.context)


def _hang(*_: object) -> None:
    raise HangError(f"a case took more than {_HANG} seconds")


if __name__ == "__main__":
    main()
