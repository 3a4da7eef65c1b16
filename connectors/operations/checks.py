"""What is wrong in the fields of a package, by rule: nothing is changed, each fault is named with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from connectors.operations.defects import defect
from connectors.operations.element_path import find_all, first, first_text
from connectors.operations.identity import status_header
from connectors.operations.moments import STANDARD_FORMS, known_form, read_moment, standard_form
from connectors.operations.rules import OLD_DOCUMENT_TYPES, REQUIRED, RULES, UNKNOWN, Kind, Rule
from schemas.record import Defect, Field

LONGEST_TRANSIT = timedelta(days=10)
"""From the day of promulgation to the last trace. NĐ 30/2020/NĐ-CP, Điều 18: sent the next working day at the
latest, and the longest holidays last nine days."""

_CODE_NUMBER = re.compile(r"\d+[^\W\d_]?")
_DOCUMENT_ID_DATE = re.compile(r",\s*(\d{4}/\d{1,2}/\d{1,2})\s*,")
_DAY = timedelta(days=1)
_WITH_ORGANS = frozenset({"MessageHeader", "Status", "TraceHeaderList"})
_ORGANS = frozenset({"From", "To", "TraceHeader"})


def check(fields: Sequence[Field], version: str) -> Iterator[Defect]:
    """The faults of a package's ``fields``, in document order, then what is missing as a whole.

    Args:
        fields: as scanned.
        version: ``1`` or ``2``, whose form of dates is expected.
    """
    found: list[Defect] = []
    _check_values(fields, RULES, "", version, found)
    yield from found
    header = first(fields, "MessageHeader")
    status = status_header(fields)
    if status is not None:
        yield from _check_status(status)
    elif header is None:
        yield defect("header_missing")
    else:
        yield from _check_document(header, version)
        yield from _check_moments(fields, header)
    for holder in fields:
        for part in holder.children if holder.name in _WITH_ORGANS else ():
            if part.name in _ORGANS and first_text(part.children, "OrganId") is None:
                yield defect("organ_missing", _where(f"{holder.name}/", part), name=part.name)


def _check_values(
    fields: Sequence[Field], rules: Mapping[str, Rule], parent: str, version: str, found: list[Defect]
) -> None:
    """Add to ``found`` what is wrong in the text of each leaf. Runs over every field of every package."""
    for field in fields:
        name = field.name
        rule = rules.get(name, UNKNOWN)
        if field.children:
            if name != "Signature" and field.type == "element":
                _check_values(field.children, rule.parts, f"{parent}{name}/", version, found)
        elif field.values and (value := field.values[0].strip()):
            if len(value) > rule.limit:
                where = _where(parent, field)
                found.append(defect("over_long", where, name=name, length=len(value), limit=rule.limit))
            if len(value) == 4 and value.lower() == "null":
                code = "null_organ" if rule.kind is Kind.ORGAN else "null_value"
                found.append(defect(code, _where(parent, field), name=name, value=value))
            elif rule.judged:
                found += _check_judged(name, value, rule, _where(parent, field), version)


def _check_judged(name: str, value: str, rule: Rule, where: str, version: str) -> Iterator[Defect]:
    if rule.allowed is not None:
        yield from _check_code(name, value, rule.allowed, where)
    elif rule.kind is Kind.DATE:
        yield from _check_date(name, value, where, version)
    elif rule.kind is Kind.DOCUMENT_ID:
        if printed := _DOCUMENT_ID_DATE.search(value):
            yield from _check_date("the date inside DocumentId", printed.group(1), where, "2")
    elif rule.kind is Kind.CODE_NUMBER:
        if not _CODE_NUMBER.fullmatch(value):
            yield defect("code_number_not_numeric", where, value=value)
    elif not value.isdecimal():
        yield defect("amount_not_a_number", where, name=name, value=value)


def _check_code(name: str, value: str, allowed: frozenset[str], where: str) -> Iterator[Defect]:
    if value not in allowed:
        expected = ", ".join(sorted(allowed))
        yield defect("code_outside_standard", where, name=name, value=value, expected=expected)


def _check_date(name: str, value: str, where: str, version: str) -> Iterator[Defect]:
    if standard_form(value, version) and read_moment(value) is not None:
        return
    expected = STANDARD_FORMS[version]
    if not known_form(value):
        yield defect("unparsed_date", where, name=name, value=value, expected=expected)
    elif read_moment(value) is None:
        yield defect("impossible_date", where, name=name, value=value)
    else:
        yield defect("unexpected_date_form", where, name=name, value=value, expected=expected)


def _check_document(header: Field, version: str) -> Iterator[Defect]:
    parts = header.children
    if version == "2" and first_text(parts, "DocumentId") is None:
        path = "MessageHeader/DocumentId"
        yield defect("document_id_missing", path, path=path)
    for path in REQUIRED:
        yield from _check_required(header, path)
    if version == "1":
        for field in find_all(parts, "DocumentType/Type"):
            if value := field.text.strip():
                where = _where("MessageHeader/DocumentType/", field)
                yield from _check_code("Type", value, OLD_DOCUMENT_TYPES, where)
    seen: set[str] = set()
    for field in find_all(parts, "To/OrganId"):
        value = field.text.strip()
        if value and value in seen:
            yield defect("duplicate_recipient", _where("MessageHeader/To/", field), value=value)
        seen.add(value)


def _check_required(header: Field, path: str) -> Iterator[Defect]:
    found = first(header.children, path)
    where = f"{header.name}/{path}"
    if found is None:
        yield defect("required_missing", where, name=path)
    elif not found.children and not found.text.strip():
        yield defect("required_empty", f"{where}, line {found.line}", name=path)


def _check_status(status: Field) -> Iterator[Defect]:
    yield from _check_required(status, "From")
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


def _check_moments(fields: Sequence[Field], header: Field) -> Iterator[Defect]:
    issued = read_moment(first_text(header.children, "PromulgationInfo/PromulgationDate"))
    parent = "TraceHeaderList/TraceHeader/"
    traces = [
        (moment, field)
        for trace in find_all(fields, "TraceHeaderList/TraceHeader")
        for field in trace.children
        if field.name in {"Timestamp", "TimeStamp"} and (moment := read_moment(field.text)) is not None
    ]
    for moment, field in traces:
        if issued and moment < issued:
            yield _too_early(field, issued, parent)
        elif issued and moment >= issued + LONGEST_TRANSIT + _DAY:
            yield defect(
                "timestamp_after_promulgation",
                _where(parent, field),
                value=field.text.strip(),
                days=(moment - issued).days,
                day=_day(issued),
            )
    for (before, _), (moment, field) in pairwise(traces):
        if moment < before:
            yield defect(
                "timestamps_out_of_order",
                _where(parent, field),
                value=field.text.strip(),
                before=f"{before:%Y/%m/%d %H:%M:%S}",
            )


def _too_early(field: Field, issued: datetime, parent: str) -> Defect:
    return defect(
        "timestamp_before_promulgation", _where(parent, field), value=field.text.strip(), day=_day(issued)
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y/%m/%d}"


def _where(parent: str, field: Field) -> str:
    return f"{parent}{field.name}, line {field.line}"
