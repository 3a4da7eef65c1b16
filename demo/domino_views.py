"""``?ReadViewEntries`` of the Domino simulator: views in XML and JSON as Domino 8.5 prints them, its mistakes included.

The printed shape follows the published samples and the DXL DTD's ``viewentries``. Domino escapes characters in JSON
that JSON does not let it escape, and prints letters beyond the BMP as two surrogate references in XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from demo.domino_database import LOCAL, StoredDocument

Value = str | int | datetime | tuple[str, ...]
"""What a column shows; moments are local, as documents hold them."""

_CATEGORY_NOTE = 0x80000000
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_INVALID_ESCAPES = re.compile(r"(?<=<)!|>")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view: its programmatic name and what it shows of a document."""

    name: str
    value: Callable[[StoredDocument], Value]


@dataclass(frozen=True, slots=True)
class View:
    """A view: documents in the order of its first column.

    Attributes:
        name: as the URL names it. categorised: documents stand below a row for each value of the first column.
        hidden: its name is in brackets; Domino does not open it over HTTP.
    """

    name: str
    columns: tuple[Column, ...]
    categorised: bool = False

    @property
    def hidden(self) -> bool:
        """True for a view that URLs cannot reach."""
        return self.name.startswith("(")


def standard_views() -> tuple[View, ...]:
    """The views that an application for this purpose has: all by note id, by time of change, and by form."""
    unid = Column("$unid", lambda found: found.unid)
    changed = Column("$modified", lambda found: found.note.modified)
    subject = Column("TrichYeu", lambda found: found.subject)
    form = Column("Form", lambda found: found.note.form)
    sequence = Column("$sequence", lambda found: found.note.sequence)
    files = Column("$files", lambda found: tuple(file.name for file in found.attachments))
    number = Column("$noteid", lambda found: found.note.note_id)
    return (
        View("tatca", (number, subject, changed, sequence, files)),
        View("theongay", (changed, subject, sequence, unid)),
        View("theoloai", (form, subject, changed), categorised=True),
        View("(an)", (number, subject)),
    )


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """How this server behaves where servers differ.

    Attributes:
        line_cap: *Maximum lines per view page*; 0 for none. default_count: rows without ``Count``.
        counts_hidden: ``toplevelentries`` counts documents that the account may not read.
        single_as_object: JSON prints a single entry as an object and not as an array of one.
        invalid_json: JSON holds escapes that are none.
    """

    line_cap: int = 1000
    default_count: int = 30
    counts_hidden: bool = False
    single_as_object: bool = True
    invalid_json: bool = True


@dataclass(frozen=True, slots=True)
class _Row:
    position: str
    document: StoredDocument | None
    siblings: int
    category: str = ""
    children: int = 0

    @property
    def note_id(self) -> str:
        if self.document is not None:
            return f"{self.document.note.note_id:X}"
        return f"{_CATEGORY_NOTE + 4 * int(self.position):X}"


def read_view_entries(
    view: View,
    documents: Sequence[StoredDocument],
    account: str,
    query: Mapping[str, str],
    options: ViewOptions,
    now: datetime,
) -> tuple[str, bytes]:
    """Content type and body of ``?ReadViewEntries`` with the parameters ``query`` (names in lower case).

    ``now`` is local and without zone.
    """
    visible = [found for found in documents if found.readable_by(account)]
    rows, top = _rows(view, visible, query)
    if options.counts_hidden:
        top = _rows(view, documents, query)[1]
    page = _page(view, rows, query, options)
    if query.get("outputformat", "").upper() == "JSON":
        return "application/json; charset=utf-8", _json(view, page, top, options, now).encode("utf-8")
    return "text/xml; charset=utf-8", _xml(view, page, top, now).encode("utf-8")


def _rows(
    view: View, documents: Sequence[StoredDocument], query: Mapping[str, str]
) -> tuple[list[_Row], int]:
    wanted = query.get("resortascending") or query.get("resortdescending") or "0"
    key = view.columns[int(wanted)].value
    ordered = sorted(documents, key=lambda found: (_sortable(key(found)), found.note.note_id))
    if query.get("resortdescending"):
        ordered.reverse()
    if not view.categorised:
        flat = [_Row(str(number), found, len(ordered)) for number, found in enumerate(ordered, 1)]
        return flat, len(flat)
    groups: dict[str, list[StoredDocument]] = {}
    for found in ordered:
        groups.setdefault(str(view.columns[0].value(found)), []).append(found)
    if category := query.get("restricttocategory"):
        inside = groups.get(category, [])
        return [_Row(str(n), found, len(inside)) for n, found in enumerate(inside, 1)], len(inside)
    rows: list[_Row] = []
    for number, (category, inside) in enumerate(groups.items(), 1):
        rows.append(_Row(str(number), None, len(groups), category, len(inside)))
        if "collapseview" not in query:
            rows += [_Row(f"{number}.{n}", found, len(inside)) for n, found in enumerate(inside, 1)]
    return rows, len(groups)


def _page(view: View, rows: list[_Row], query: Mapping[str, str], options: ViewOptions) -> list[_Row]:
    count = int(query.get("count", options.default_count))
    if count < 0:
        count = options.line_cap or len(rows)
    if options.line_cap:
        count = min(count, options.line_cap)
    first = _first(view, rows, query)
    if query.get("navigatereverse") == "1":
        return rows[max(0, first + 1 - count) : first + 1][::-1]
    page = rows[first : first + count]
    if until := query.get("untilkey"):
        page = [row for row in page if _key_of(view, row) < _wanted(until, query)]
    return page


def _first(view: View, rows: list[_Row], query: Mapping[str, str]) -> int:
    if start_key := query.get("startkey"):
        wanted = _wanted(start_key, query)
        return next((n for n, row in enumerate(rows) if _key_of(view, row) >= wanted), len(rows))
    start = _place(query.get("start", "1"))
    return next((n for n, row in enumerate(rows) if _place(row.position) >= start), len(rows))


def _place(position: str) -> list[int]:
    return [int(part) for part in position.split(".") if part]


def _wanted(key: str, query: Mapping[str, str]) -> tuple[int, str]:
    if query.get("keytype", "").lower() != "time":
        return _sortable(key)
    digits = re.sub(r"[^0-9T]", "", key.partition(",")[0])
    moment = datetime.strptime(digits, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local unless it says Z
    return _sortable(moment + timedelta(hours=7) if key.endswith("Z") else moment)


def _key_of(view: View, row: _Row) -> tuple[int, str]:
    return _sortable(view.columns[0].value(row.document) if row.document else row.category)


def _sortable(value: Value) -> tuple[int, str]:
    """Numbers come before moments, moments before text, as in Notes."""
    if isinstance(value, int):
        return 0, f"{value:020d}"
    if isinstance(value, datetime):
        return 1, value.isoformat()
    return 2, (value if isinstance(value, str) else "\n".join(value)).casefold()


def _xml(view: View, page: list[_Row], top: int, now: datetime) -> str:
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<viewentries timestamp="{_utc(now)}" toplevelentries="{top}" rangeentries="\n{len(page)}">\n'
    ]
    for row in page:
        facts = "".join(f' {name}="{escape(value)}"' for name, value in _facts(row).items())
        parts.append(f"<viewentry{facts}>\n")
        for number, (column, value) in enumerate(_cells(view, row)):
            category = ' category="true"' if row.document is None else ""
            head = f'<entrydata columnnumber="{number}" name="{column}"{category}>'
            parts.append(f"{head}\n{_xml_value(value)}</entrydata>\n")
        parts.append("</viewentry>\n")
    return _ASTRAL.sub(_surrogates, "".join([*parts, "</viewentries>\n"]))


def _xml_value(value: Value) -> str:
    if isinstance(value, datetime):
        return f"<datetime>{_utc(value)}</datetime>"
    if isinstance(value, int):
        return f"<number>{value}</number>"
    if isinstance(value, str):
        return f"<text>{escape(value)}</text>"
    return "<textlist>" + "".join(f"<text>{escape(part)}</text>" for part in value) + "</textlist>"


def _surrogates(found: re.Match[str]) -> str:
    high, low = divmod(ord(found.group()) - 0x10000, 0x400)
    return f"&#{0xD800 + high};&#{0xDC00 + low};"


def _json(view: View, page: list[_Row], top: int, options: ViewOptions, now: datetime) -> str:
    answer: dict[str, object] = {"@timestamp": _utc(now), "@toplevelentries": str(top)}
    entries = [
        {f"@{name}": value for name, value in _facts(row).items()}
        | {
            "entrydata": [
                {"@columnnumber": str(number), "@name": column, **_json_value(value)}
                for number, (column, value) in enumerate(_cells(view, row))
            ]
        }
        for row in page
    ]
    if len(entries) == 1 and options.single_as_object:
        answer["viewentry"] = entries[0]
    elif entries:
        answer["viewentry"] = entries
    printed = json.dumps(answer, ensure_ascii=False, indent=0)
    return _INVALID_ESCAPES.sub(r"\\\g<0>", printed) if options.invalid_json else printed


def _json_value(value: Value) -> dict[str, object]:
    if isinstance(value, datetime):
        return {"datetime": {"0": _utc(value)}}
    if isinstance(value, int):
        return {"number": {"0": str(value)}}
    if isinstance(value, str):
        return {"text": {"0": value}}
    return {"textlist": {"text": [{"0": part} for part in value]}}


def _facts(row: _Row) -> dict[str, str]:
    facts = {"position": row.position}
    if row.document is not None:
        facts["unid"] = row.document.unid
    facts |= {"noteid": row.note_id, "siblings": str(row.siblings)}
    if row.document is None:
        return facts | {"children": str(row.children), "descendants": str(row.children)}
    if row.document.note.parent:
        facts["response"] = "true"
    if row.document.note.conflict:
        facts["conflict"] = "true"
    return facts


def _cells(view: View, row: _Row) -> list[tuple[str, Value]]:
    if row.document is None:
        return [(view.columns[0].name, row.category)]
    columns = view.columns[1:] if view.categorised else view.columns
    return [(column.name, column.value(row.document)) for column in columns]


def _utc(moment: datetime) -> str:
    moment = moment - (LOCAL.utcoffset(None) or timedelta())
    return f"{moment:%Y%m%dT%H%M%S},{moment.microsecond // 10_000:02d}Z"
