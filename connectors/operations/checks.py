"""What is wrong in the fields of a package, by rule: nothing is changed, each fault is named with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from operator import gt
from typing import NamedTuple

from connectors.operations.defects import defect
from connectors.operations.element_path import find_all, first, first_text
from connectors.operations.identity import status_header
from connectors.operations.moments import STANDARD_FORMS, is_standard_moment, known_form, read_moment
from connectors.operations.rules import OLD_DOCUMENT_TYPES, REQUIRED, RULES, UNKNOWN, Kind, Rule
from connectors.operations.shapes import Texts
from schemas.record import Defect, Field

LONGEST_TRANSIT = timedelta(days=10)
"""From the day of promulgation to the last trace. NĐ 30/2020/NĐ-CP, Điều 18: sent the next working day at the
latest, and the longest holidays last nine days."""

_DATE, _DOCUMENT_ID, _CODE_NUMBER = Kind.DATE, Kind.DOCUMENT_ID, Kind.CODE_NUMBER
_CODE_NUMBER_FORM = re.compile(r"\d+[^\W\d_]?")
_DOCUMENT_ID_DATE = re.compile(r",\s*(\d{4}/\d{1,2}/\d{1,2})\s*,")
_OF_NULL = ("ll", "LL", "Ll", "lL")  # one of which stands in the word null, however it is written
_TOO_LATE = LONGEST_TRANSIT + timedelta(days=1)  # that day itself is in time
_WITH_ORGANS = frozenset({"MessageHeader", "Status", "TraceHeaderList"})
_ORGANS = frozenset({"From", "To", "TraceHeader"})
_MOMENTS = frozenset({"Timestamp", "TimeStamp"})


def check(fields: Sequence[Field], version: str, texts: Texts | None = None) -> list[Defect]:
    """The faults of a package's ``fields``, in document order, then what is missing as a whole.

    Args:
        fields: as scanned.
        version: ``1`` or ``2``, whose form of dates is expected.
        texts: all that stand in ``fields``, if they are at hand.
    """
    found: list[Defect] = []
    if texts is None or not _are_clean(texts, version):
        _check_values(fields, RULES, "", version, found)
    header = first(fields, "MessageHeader")
    status = status_header(fields)
    if status is not None:
        found += _check_status(status)
    elif header is None:
        found.append(defect("header_missing"))
    else:
        _check_document(header, version, found)
        _check_moments(fields, header, found)
    for holder in fields:
        if holder.name in _WITH_ORGANS:
            for part in holder.children:
                if part.name in _ORGANS and first_text(part.children, "OrganId") is None:
                    found.append(defect("organ_missing", _where(f"{holder.name}/", part), name=part.name))
    return found


def _are_clean(texts: Texts, version: str) -> bool:
    """False when ``_check_values`` may find something in ``texts``."""
    limits, judged = _rules_of(texts.paths)
    if any(map(gt, map(len, texts.values), limits)):
        return False
    joined = "\n".join(texts.values)
    if any(map(joined.__contains__, _OF_NULL)):
        return False
    for at, name, rule in judged:
        value = texts.values[at].strip()
        if value and _judge(name, value, rule, version):
            return False
    return True


@lru_cache(maxsize=128)
def _rules_of(paths: tuple[str, ...]) -> tuple[list[int], list[tuple[int, str, Rule]]]:
    """Of the elements at ``paths``: their greatest lengths, and the place, name and rule of those with more rules."""
    limits, judged = [], []
    for at, path in enumerate(paths):
        rule, known = UNKNOWN, RULES
        for name in path.split("/"):
            rule = known.get(name, UNKNOWN)
            known = rule.parts
        limits.append(rule.limit)
        if rule.judged:
            judged.append((at, name, rule))
    return limits, judged


def _check_values(
    fields: Sequence[Field], rules: Mapping[str, Rule], parent: str, version: str, found: list[Defect]
) -> None:
    """Add to ``found`` what is wrong in the text of each leaf. Runs over every field of every package."""
    for field in fields:
        # Taking a field apart at once costs less than asking it for its parts.
        name, kind, values, _, children, _, _, _ = field
        rule = rules.get(name, UNKNOWN)
        if children:
            if name != "Signature" and kind == "element":
                _check_values(children, rule.parts, f"{parent}{name}/", version, found)
        elif values and (value := values[0].strip()):
            length = len(value)
            if length > rule.limit:
                where = _where(parent, field)
                found.append(defect("over_long", where, name=name, length=length, limit=rule.limit))
            if length == 4 and value.lower() == "null":
                code = "null_organ" if rule.kind is Kind.ORGAN else "null_value"
                found.append(defect(code, _where(parent, field), name=name, value=value))
            elif rule.judged and (fault := _judge(name, value, rule, version)):
                found.append(defect(fault.code, _where(parent, field), **fault.facts))


class _Fault(NamedTuple):
    """What is wrong with a text: class of defect, and what its sentence says."""

    code: str
    facts: Mapping[str, object]


def _judge(name: str, value: str, rule: Rule, version: str) -> _Fault | None:
    kind = rule.kind
    if rule.allowed is not None:
        return _judge_code(name, value, rule.allowed)
    if kind is _DATE:
        return _judge_date(name, value, version)
    if kind is _DOCUMENT_ID:
        printed = _DOCUMENT_ID_DATE.search(value)
        return _judge_date("the date inside DocumentId", printed.group(1), "2") if printed else None
    if kind is _CODE_NUMBER:
        fits = _CODE_NUMBER_FORM.fullmatch(value)
        return None if fits else _Fault("code_number_not_numeric", {"value": value})
    return None if value.isdecimal() else _Fault("amount_not_a_number", {"name": name, "value": value})


def _judge_code(name: str, value: str, allowed: frozenset[str]) -> _Fault | None:
    if value in allowed:
        return None
    expected = ", ".join(sorted(allowed))
    return _Fault("code_outside_standard", {"name": name, "value": value, "expected": expected})


def _judge_date(name: str, value: str, version: str) -> _Fault | None:
    if is_standard_moment(value, version):
        return None
    exists = read_moment(value) is not None
    expected = STANDARD_FORMS[version]
    if not known_form(value):
        return _Fault("unparsed_date", {"name": name, "value": value, "expected": expected})
    if not exists:
        return _Fault("impossible_date", {"name": name, "value": value})
    return _Fault("unexpected_date_form", {"name": name, "value": value, "expected": expected})


def _check_document(header: Field, version: str, found: list[Defect]) -> None:
    parts = header.children
    if version == "2" and first_text(parts, "DocumentId") is None:
        path = "MessageHeader/DocumentId"
        found.append(defect("document_id_missing", path, path=path))
    for path in REQUIRED:
        if lacking := _lacking(header, path):
            found.append(lacking)
    if version == "1":
        for field in find_all(parts, "DocumentType/Type"):
            value = field.text.strip()
            if value and (fault := _judge_code("Type", value, OLD_DOCUMENT_TYPES)):
                found.append(defect(fault.code, _where("MessageHeader/DocumentType/", field), **fault.facts))
    seen: set[str] = set()
    for field in find_all(parts, "To/OrganId"):
        value = field.text.strip()
        if value and value in seen:
            found.append(defect("duplicate_recipient", _where("MessageHeader/To/", field), value=value))
        seen.add(value)


def _lacking(header: Field, path: str) -> Defect | None:
    found = first(header.children, path)
    if found is None:
        return defect("required_missing", f"{header.name}/{path}", name=path)
    if not found.children and not found.text.strip():
        return defect("required_empty", f"{header.name}/{path}, line {found.line}", name=path)
    return None


def _check_status(status: Field) -> Iterator[Defect]:
    if lacking := _lacking(status, "From"):
        yield lacking
    path = f"{status.name}/ResponseFor/DocumentId"
    answered = first_text(status.children, "ResponseFor/DocumentId")
    if answered is None and first_text(status.children, "ResponseFor/Code") is None:
        yield defect("document_id_missing", path, path=path)
    issued = read_moment(first_text(status.children, "ResponseFor/PromulgationDate"))
    for name in ("Timestamp", "TimeStamp"):
        for field in find_all(status.children, name):
            moment = read_moment(field.text)
            if moment and issued and moment < issued:
                yield _too_early(field, issued, f"{status.name}/")


def _check_moments(fields: Sequence[Field], header: Field, found: list[Defect]) -> None:
    issued = read_moment(first_text(header.children, "PromulgationInfo/PromulgationDate"))
    parent = "TraceHeaderList/TraceHeader/"
    traces = [
        (moment, field)
        for trace in find_all(fields, "TraceHeaderList/TraceHeader")
        for field in trace.children
        if field.name in _MOMENTS and (moment := read_moment(field.text)) is not None
    ]
    for moment, field in traces:
        if issued and moment < issued:
            found.append(_too_early(field, issued, parent))
        elif issued and moment - issued >= _TOO_LATE:
            found.append(
                defect(
                    "timestamp_after_promulgation",
                    _where(parent, field),
                    value=field.text.strip(),
                    days=(moment - issued).days,
                    day=_day(issued),
                )
            )
    for (before, _), (moment, field) in pairwise(traces):
        if moment < before:
            found.append(
                defect(
                    "timestamps_out_of_order",
                    _where(parent, field),
                    value=field.text.strip(),
                    before=f"{before:%Y/%m/%d %H:%M:%S}",
                )
            )


def _too_early(field: Field, issued: datetime, parent: str) -> Defect:
    return defect(
        "timestamp_before_promulgation", _where(parent, field), value=field.text.strip(), day=_day(issued)
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y/%m/%d}"


def _where(parent: str, field: Field) -> str:
    return f"{parent}{field.name}, line {field.line}"
