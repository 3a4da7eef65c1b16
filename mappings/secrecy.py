"""The secrecy gate: no record that is marked Mật, Tối mật or Tuyệt mật enters the archive (law 117/2025/QH15,
article 5.2).

Runs in memory before a byte is stored. A finding names the level and the rule, never anything of the record.
The gate's own rules are always on; a source's configuration only adds fields and values. An edXML package has
no field for secrecy, so that titles, notations, names and first pages are looked at for every source.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mappings.config import SourceConfig
from mappings.field_paths import leaves, members
from mappings.legacy_decoding import decode
from mappings.legacy_fonts import draws_capitals, encoding_of_font
from mappings.opening_text import LIMIT, decode_text, markup_text, opening_texts, without_payloads
from mappings.secrecy_marks import LEVELS, Mark, mark_in_symbol, mark_in_text, mark_in_title
from mappings.secrecy_names import is_classification_field, level_of_value, mark_in_name
from mappings.secrecy_patterns import Level, patterns
from mappings.shared_fields import TEXTS_OF_TITLE
from mappings.symbol_text import cleaned_symbol
from mappings.vietnamese import fold
from schemas.record import Attachment, Content, Field, SourceRecord, TextRun, Unreadable, chunks


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a record is withheld.

    Attributes:
        level: ``mat``, ``toi_mat`` or ``tuyet_mat``: the highest found.
        rule: what saw it: ``<where>:<rule>``, such as ``field DoMat:value``, ``attachment 2 text:line``.
            Holds a field's name at most, nothing of the record's content.
    """

    level: Level
    rule: str


_SYMBOLS = ("symbol", "notation", "number", "uid")
_SYMBOL_NAMES = frozenset(
    ("code", "codenumber", "codenotation", "documentid", "sokyhieu", "kyhieu", "sovanban")
)
_LONGEST_TITLE = 1000
_RAW_LIMIT = 64 * 1024 * 1024
_AROUND = 300  # characters on both sides of a candidate: its line, and the phrase that may make it harmless
_TITLE_NAMES = frozenset(
    (
        *(
            "trichyeu",
            "subject",
            "tieude",
            "title",
            "noidungtrichyeu",
            "ghichu",
            "note",
            "content",
        ),
        *(
            "sphereofpromulgation",
            "typename",
            "loaivanban",
            "appendix",
            "description",
        ),
        "bussinessdocreason",
    )
)


def screen(record: SourceRecord, config: SourceConfig) -> Finding | None:
    """The highest mark of secrecy in a record, its attachments' names and first pages; ``None`` when it may
    enter."""
    return _highest(
        (
            *_field_findings(record, config),
            *_attribute_findings(record.fields),
            *_series_findings(record, config),
            *_context_findings(record),
            *(
                finding
                for at, file in enumerate(record.attachments, 1)
                for finding in _file_findings(at, file)
            ),
        )
    )


def screen_unreadable(item: Unreadable) -> Finding | None:
    """The highest mark in bytes that nobody could read: in classification elements, in lines of text, in
    base64 payloads.

    Looks at the first 64 MiB, decoded as well as can be.
    """
    found = [_finding("name", mark_in_name(re.split(r"[\\/]", item.listing.locator)[-1]))]
    if item.original is not None:
        data = _head(item.original, _RAW_LIMIT)
        for likelihood, text in enumerate(_raw_texts(data)):
            marks = _raw_findings(text)
            # In a wrong decoding every value is unknown.
            found += (f for f in marks if f and (likelihood == 0 or not f.rule.endswith(":unknown_value")))
        found += _content_findings("raw", item.original)
    return _highest(finding for finding in found if finding)


def _field_findings(record: SourceRecord, config: SourceConfig) -> Iterator[Finding]:
    configured = {
        field.path.casefold(): {fold(value): level for value, level in field.values.items()}
        for field in config.secrecy.fields
    }
    titles = _paths_of(config, TEXTS_OF_TITLE)
    symbols = _paths_of(config, _SYMBOLS)
    for path, field in leaves(record.fields):
        name = path.rpartition("/")[2]
        where = f"field {_safe(path)}"
        extra = configured.get(path.casefold(), configured.get(name.casefold()))
        if extra is not None or is_classification_field(name):
            for value in members(field):
                yield from _some(_finding(where, level_of_value(value, extra)))
            continue
        folded = fold(name).replace(" ", "")
        look = mark_in_text
        if path.casefold() in symbols or folded in _SYMBOL_NAMES:
            look = mark_in_symbol
        elif path.casefold() in titles or folded in _TITLE_NAMES:
            look = mark_in_title
        for text in _texts(field):
            mark = look(text) if len(text) <= _LONGEST_TITLE else mark_in_text(text[:LIMIT])
            yield from _some(_finding(where, mark))


def _attribute_findings(fields: Iterable[Field]) -> Iterator[Finding]:
    """What stands in attributes of elements, of those with parts, too."""
    for field in fields:
        for name, value in field.attributes.items():
            mark = level_of_value(value) if is_classification_field(name) else mark_in_text(value[:LIMIT])
            yield from _some(_finding(f"attribute {_safe(name)}", mark))
        yield from _attribute_findings(field.children)


def _texts(field: Field) -> Iterator[str]:
    """Members as printed, the cells of a table's row as lines too: a mark alone in a cell stands for itself."""
    for member in members(field):
        yield member
        if "\t" in member:
            yield member.replace("\t", "\n")
    if len(field.values) > 1:
        yield "\n".join(field.values)
    if any(encoding_of_font(run.font) for run in field.runs):
        # Beside Unicode on the same line only the font tells that a run is legacy.
        yield "".join(_decoded(run) for run in field.runs)


def _decoded(run: TextRun) -> str:
    encoding = encoding_of_font(run.font)
    if encoding is None:
        return run.text
    text = decode(run.text, encoding)
    return text.upper() if draws_capitals(run.font) else text


def _paths_of(config: SourceConfig, names: Collection[str]) -> frozenset[str]:
    """Where the shared fields ``names`` come from in records of this source."""
    return frozenset(
        path.casefold()
        for rule in config.records
        for name, field in rule.fields.items()
        if name in names
        for path in field.from_
    )


def _series_findings(record: SourceRecord, config: SourceConfig) -> Iterator[Finding]:
    """Numbers of a series that an office keeps for secret documents, where its configuration says so."""
    if not config.secrecy.series:
        return
    paths = _paths_of(config, _SYMBOLS)
    for path, field in leaves(record.fields):
        if path.casefold() not in paths:
            continue
        for value in members(field):
            printed = fold(cleaned_symbol(value)[0]).upper()
            for series, level in config.secrecy.series.items():
                if fnmatchcase(printed, fold(series).upper()):
                    yield Finding(level, f"field {_safe(path)}:series")


def _context_findings(record: SourceRecord) -> Iterator[Finding]:
    yield from _some(_finding("form", mark_in_name(record.form)))
    for key, value in record.context.items():
        yield from _some(_finding(f"context {_safe(key)}", mark_in_name(re.split(r"[\\/]", value)[-1])))


def _file_findings(at: int, file: Attachment) -> Iterator[Finding]:
    yield from _some(_finding(f"attachment {at} name", mark_in_name(re.split(r"[\\/]", file.name)[-1])))
    yield from _content_findings(f"attachment {at}", file.content)


def _content_findings(where: str, content: Content) -> Iterator[Finding]:
    """Marks in a file: in what opens it, in the names and openings of what it holds, and, where it is a record
    itself (a package inside a package, an export), in its classification elements."""
    for opening in opening_texts(content):
        if opening.name:
            name = re.split(r"[\\/]", opening.name)[-1]
            yield from _some(_finding(f"{where} name", mark_in_name(name)))
        yield from _some(_finding(f"{where} text", mark_in_text(opening.text)))
        for finding in _classified(opening.markup):
            # What is no record may use such a name for something else.
            if finding and not finding.rule.endswith(":unknown_value"):
                yield Finding(finding.level, f"{where} {finding.rule}")


def _raw_texts(data: bytes) -> Iterator[str]:
    """The bytes as text in every way that may make sense, the likeliest first; a wrong one only yields
    noise."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield decode_text(data)
    elif b"\x00" in data[:4096]:
        yield data.decode("utf-16-le", errors="replace")
        yield data.decode("utf-16-be", errors="replace")
        yield data.decode("utf-8", errors="replace")
    else:
        as_utf8 = data.decode("utf-8", errors="replace")
        yield as_utf8
        if "\ufffd" in as_utf8:
            yield data.decode("cp1252", errors="replace")
            yield data.decode("cp1258", errors="replace")


# Bounded: a broken export may never close its items.
_ITEM = re.compile(
    r"<item\s[^<>]*?name\s*=\s*(['\"])(?P<name>[^'\"<>]{1,100})\1[^<>]*>(?=(?P<body>.{0,300}))", re.DOTALL
)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?(?P<name>[^\W\d][\w.-]{2,60})(?:\s[^<>]*)?>(?P<body>[^<]{0,200})<")
_PAIR = re.compile(
    r"(?<!\w)(?P<name>[^\W\d]\w{3,60}+)[\"']?\s{0,9}+[:=]\s{0,9}+[\"']?(?P<body>[^\"'\n<>,;{}]{1,100})"
)


def _raw_findings(text: str) -> Iterator[Finding | None]:
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    yield from _classified(text)
    for around in _around_candidates(markup_text(without_payloads(text))):
        yield _finding("raw text", mark_in_text(around))


def _classified(text: str) -> Iterator[Finding | None]:
    """Classification items, elements and pairs of a name and a value, in text that nobody took apart."""
    for pattern in (_ITEM, _ELEMENT, _PAIR):
        for match in pattern.finditer(text):
            name = html.unescape(match["name"])
            if is_classification_field(name):
                body, _, rest = match["body"].partition("</item")
                value = markup_text(body).strip()
                whole = pattern is _ELEMENT or (pattern is _ITEM and bool(rest))
                mark = level_of_value(value) if whole else mark_in_title(value)
                yield _finding(f"raw field {_safe(name)}", mark)


def _around_candidates(text: str) -> Iterator[str]:
    """The stretches of ``text`` in which a mark may stand, each once."""
    start, end = 0, 0
    for match in patterns().candidate.finditer(text):
        if match.start() - _AROUND > end:
            yield text[start:end]
            start = match.start() - _AROUND
        end = match.end() + _AROUND
    yield text[start:end]


def _head(content: Content, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for piece in chunks(content):
        parts.append(piece[: limit - size])
        size += len(parts[-1])
        if size >= limit:
            break
    return b"".join(parts)


def _finding(where: str, mark: Mark | None) -> Finding | None:
    return Finding(mark.level, f"{where}:{mark.rule}") if mark else None


def _some(finding: Finding | None) -> Iterator[Finding]:
    if finding:
        yield finding


def _highest(findings: Iterator[Finding] | tuple[Finding, ...]) -> Finding | None:
    return max(findings, key=lambda finding: LEVELS.index(finding.level), default=None)


def _safe(name: str) -> str:
    """A field's name as far as names go: what else a broken record calls a name may be content."""
    return name if re.fullmatch(r"[\w$./-]{1,80}", name) else "?"
