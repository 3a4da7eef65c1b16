"""Made-up official documents: planned by date, then numbered as an office numbers them.

A Party organ numbers each type through a term of its committee, a State organ through a calendar year
(records-rules section 3.8). Gaps are normal and are made here, too.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from demo.chance import stream
from demo.organs import BY_KEY, DISTRICTS, ORGANS, Official, Organ
from demo.phrases import (
    KINDS,
    KINDS_OF_COMMITTEE,
    KINDS_OF_PARTY_ORGAN,
    KINDS_OF_STATE_ORGAN,
    RECIPIENTS_OF_PARTY,
    RECIPIENTS_OF_STATE,
    TASKS,
    TOPICS,
    UNITS_OF_STATE_ORGAN,
    Kind,
)

TERM_STARTS = (
    date(2000, 12, 20),
    date(2005, 12, 15),
    date(2010, 10, 20),
    date(2015, 10, 20),
    date(2020, 10, 15),
    date(2025, 10, 10),
)
_URGENCIES = ("Thường",) * 12 + ("Khẩn",) * 3 + ("Thượng khẩn", "Hỏa tốc")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a document before it gets its number; empty fields are left to chance.

    Attributes:
        label: our own name for it, unique.
        day: ngày ban hành.
        organ: key of the issuing organ.
        kind: key of the type.
        subject: trích yếu.
        official: who signs, where not the organ's usual one.
        secrecy: độ mật as an application's field holds it.
        stamp: độ mật as stamped on the first page, or ``""``.
        remark: a paragraph that the body must have.
    """

    label: str
    day: date
    organ: str = ""
    kind: str = ""
    subject: str = ""
    official: Official | None = None
    secrecy: str = "Thường"
    stamp: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """An official document, whole.

    Attributes:
        number: số, two digits at least. notation: ký hiệu (``NQ/TU``, ``BC-UBND``).
        symbol: both as printed. term: nhiệm kỳ of the Party committee on that day.
    """

    label: str
    organ: Organ
    official: Official
    type_name: str
    number: str
    notation: str
    day: date
    subject: str
    body: tuple[str, ...]
    recipients: tuple[str, ...]
    urgency: str
    secrecy: str
    stamp: str

    @property
    def symbol(self) -> str:
        """Số, ký hiệu: ``15-NQ/TU`` for a Party organ, ``15/BC-UBND`` for a State one."""
        return f"{self.number}{'-' if self.organ.party else '/'}{self.notation}"

    @property
    def term(self) -> str:
        """Nhiệm kỳ, e.g. ``2010-2015``."""
        start = TERM_STARTS[_term_index(self.day)].year
        return f"{start}-{start + 5}"

    @property
    def file_stem(self) -> str:
        """A file name that an office gives: ``15-NQ-TU``."""
        return self.symbol.replace("/", "-")


def issue(seed: int, plans: Iterable[Plan]) -> dict[str, Paper]:
    """The documents of ``plans`` by label, numbered in the order of their dates."""
    register: dict[tuple[str, str, int], int] = {}
    papers = {}
    for plan in sorted(plans, key=lambda plan: (plan.day, plan.label)):
        papers[plan.label] = _paper(stream(seed, "paper", plan.label), plan, register)
    return papers


def _paper(chance: random.Random, plan: Plan, register: dict[tuple[str, str, int], int]) -> Paper:
    organ = BY_KEY[plan.organ] if plan.organ else _organ(chance, plan.day)
    kind_key = plan.kind or chance.choice(_kinds_of(organ))
    kind = KINDS[kind_key]
    topic = chance.choice(TOPICS)
    slots = {
        "topic": topic,
        "organ": organ.name,
        "year": plan.day.year,
        "next": plan.day.year + 5,
        "district": chance.choice(DISTRICTS),
        "quarter": ("I", "II", "III", "IV")[(plan.day.month - 1) // 3],
    }
    number = _number(chance, organ, kind_key, plan.day, register)
    lists = RECIPIENTS_OF_PARTY if organ.party else RECIPIENTS_OF_STATE
    return Paper(
        label=plan.label,
        organ=organ,
        official=plan.official or organ.official(plan.day),
        type_name=kind.name,
        number=f"{number:02d}",
        notation=_notation(chance, organ, kind),
        day=plan.day,
        subject=plan.subject or chance.choice(kind.subjects).format(**slots),
        body=_body(chance, kind, slots, plan.remark),
        recipients=(*chance.choice(lists), f"Lưu {'Văn phòng' if organ.party else 'VT'}"),
        urgency=chance.choice(_URGENCIES),
        secrecy=plan.secrecy,
        stamp=plan.stamp,
    )


def _body(chance: random.Random, kind: Kind, slots: dict[str, object], remark: str) -> tuple[str, ...]:
    tasks = chance.sample(TASKS, chance.randint(3, 6))
    if remark:
        tasks.insert(0, remark)
    numbered = [f"{position}. {task}" for position, task in enumerate(tasks, start=1)]
    return (kind.opening.format(**slots), *numbered, kind.closing)


def _organ(chance: random.Random, day: date) -> Organ:
    return chance.choice([organ for organ in ORGANS if organ.exists(day)])


def _kinds_of(organ: Organ) -> tuple[str, ...]:
    if not organ.party:
        return KINDS_OF_STATE_ORGAN
    return KINDS_OF_COMMITTEE if organ.key == "TU" else KINDS_OF_PARTY_ORGAN


def _notation(chance: random.Random, organ: Organ, kind: Kind) -> str:
    if organ.party:
        return f"{kind.code}/{organ.token}"
    if kind.name == "Công văn":
        return f"{organ.token}-{chance.choice(UNITS_OF_STATE_ORGAN)}"
    return f"{kind.code}-{organ.token}"


def _number(
    chance: random.Random, organ: Organ, kind_key: str, day: date, register: dict[tuple[str, str, int], int]
) -> int:
    series = (organ.key, kind_key, _term_index(day) if organ.party else day.year)
    register[series] = register.get(series, 0) + chance.randint(1, 38 if kind_key == "CV" else 7)
    return register[series]


def _term_index(day: date) -> int:
    return max(index for index, start in enumerate(TERM_STARTS) if start <= day)
