"""What is wrong in the fields of a package, by rule: nothing is changed, each fault is named with its line.

Lengths are not looked at here: the shared schema knows them. Enumerations are those of QCVN 102:2016/BTTTT;
the status codes are those in use on the exchange.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from connectors.operations.element_path import find_all, first_text, walk
from connectors.operations.moments import known_form, read_moment, standard_form
from schemas.record import Defect, Field

STATUS_CODES = frozenset({"01", "02", "03", "04", "05", "06", "13", "15", "16"})
"""Đã đến, từ chối tiếp nhận, đã tiếp nhận, chờ phân công, đang xử lý, đã xong, lấy lại, đồng ý, từ chối."""

_ENUMERATIONS: dict[str, frozenset[str]] = {
    "Priority": frozenset("01234"),
    "SteeringType": frozenset("123"),
    "BussinessDocType": frozenset("0123"),
    "ReceiverType": frozenset("01"),
    "Direction": frozenset({"true", "false"}),
    "StatusCode": STATUS_CODES,
}
_DATES = frozenset({"PromulgationDate", "DueDate", "Timestamp"})
_ORGANS = frozenset({"OrganId", "OrganName", "OrganizationInCharge"})
_WITH_ORGAN = ("MessageHeader/From", "MessageHeader/To", "TraceHeaderList/TraceHeader")
_DOCUMENT_ID_DATE = re.compile(r",\s*(\d{4}/\d{1,2}/\d{1,2})\s*,")


def check(fields: Sequence[Field]) -> Iterator[Defect]:
    """The faults of a package's ``fields``, in document order, then what is missing as a whole."""
    for path, field in walk(fields):
        if path.startswith("Signature/"):
            continue
        value = field.text.strip()
        if value and not field.children:
            yield from _check_value(path, field, value)
    yield from _check_organs(fields)
    yield from _check_identity(fields)


def _check_value(path: str, field: Field, value: str) -> Iterator[Defect]:
    where = _where(path, field)
    if value.lower() == "null":
        code = "null_organ" if field.name in _ORGANS else "null_value"
        yield Defect(code, f"{field.name} is the word {value!r}, which names nothing", where)
    elif field.name in _DATES:
        yield from _check_date(field.name, value, where)
    elif field.name == "DocumentId" and (found := _DOCUMENT_ID_DATE.search(value)):
        yield from _check_date("the date inside DocumentId", found.group(1), where)
    elif (allowed := _ENUMERATIONS.get(field.name)) and value not in allowed:
        expected = ", ".join(sorted(allowed))
        yield Defect(
            "code_outside_standard", f"{field.name} is {value[:60]!r}; the standard knows {expected}", where
        )


def _check_date(name: str, value: str, where: str) -> Iterator[Defect]:
    if not known_form(value):
        yield Defect("unparsed_date", f"{name} is {value[:60]!r}; expected yyyy/MM/dd", where)
    elif read_moment(value) is None:
        yield Defect("impossible_date", f"{name} is {value!r}, a day or hour that does not exist", where)
    elif not standard_form(value):
        yield Defect("unexpected_date_form", f"{name} is {value!r}; the standard writes yyyy/MM/dd", where)


def _check_organs(fields: Sequence[Field]) -> Iterator[Defect]:
    for path in _WITH_ORGAN:
        for field in find_all(fields, path):
            if first_text(field.children, "OrganId") is None:
                yield Defect("organ_missing", f"{field.name} names no OrganId", _where(path, field))


def _check_identity(fields: Sequence[Field]) -> Iterator[Defect]:
    if next(find_all(fields, "MessageHeader"), None) is None:
        yield Defect("header_missing", "the package has no MessageHeader")
        return
    if next(find_all(fields, "MessageHeader/From"), None) is None:
        yield Defect("organ_missing", "the package has no From", "MessageHeader")
    status = next(find_all(fields, "MessageHeader/StatusCode"), None) is not None
    path = "MessageHeader/ResponseFor/DocumentId" if status else "MessageHeader/DocumentId"
    if first_text(fields, path) is None:
        yield Defect("document_id_missing", f"{path} is absent or empty", path)


def _where(path: str, field: Field) -> str:
    return f"{path}, line {field.line}"
