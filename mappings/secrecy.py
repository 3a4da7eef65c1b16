"""The secrecy gate: no record that is marked Mật, Tối mật or Tuyệt mật enters the archive (law 117/2025/QH15,
article 5.2).

Runs in memory before a byte is stored. A finding names the level and the rule, never anything of the record.
The gate's own rules are always on; a source's configuration only adds fields and values. An edXML package has
no field for secrecy, so that titles, notations, names and first pages are looked at for every source.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mappings.config import SourceConfig
from mappings.field_paths import leaves, members
from mappings.opening_text import decode_text, markup_text, opening_texts
from mappings.secrecy_marks import LEVELS, Mark, mark_in_text, mark_in_title
from mappings.secrecy_names import is_classification_field, level_of_value, mark_in_name
from mappings.secrecy_patterns import Level, patterns
from mappings.shared_fields import TEXTS_OF_TITLE
from mappings.vietnamese import fold
from schemas.record import Attachment, BytesContent, Content, Field, SourceRecord, Unreadable, chunks


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


_HEADING = 3000  # characters of a long field: marks stand at the top
_LONGEST_TITLE = 1000
_RAW_LIMIT = 64 * 1024 * 1024
_AROUND = 300  # characters on both sides of a candidate: its line, and the phrase that may make it harmless
_PAYLOADS = 50
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
            "sokyhieu",
        ),
        *(
            "kyhieu",
            "codenotation",
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
        found += _payload_findings(data)
        if not data.lstrip()[:5].startswith(b"<"):
            for _, text in opening_texts(item.original):
                found.append(_finding("raw text", mark_in_text(text)))
    return _highest(finding for finding in found if finding)


def _field_findings(record: SourceRecord, config: SourceConfig) -> Iterator[Finding]:
    configured = {
        field.path.casefold(): {fold(value): level for value, level in field.values.items()}
        for field in config.secrecy.fields
    }
    titles = _title_paths(config)
    for path, field in leaves(record.fields):
        name = path.rpartition("/")[2]
        where = f"field {_safe(path)}"
        extra = configured.get(path.casefold()) or configured.get(name.casefold())
        if extra is not None or is_classification_field(name):
            for value in members(field):
                yield from _some(_finding(where, level_of_value(value, extra)))
            continue
        is_title = path.casefold() in titles or fold(name).replace(" ", "") in _TITLE_NAMES
        for text in _texts(field):
            mark = (
                mark_in_title(text)
                if is_title and len(text) <= _LONGEST_TITLE
                else mark_in_text(text[:_HEADING])
            )
            yield from _some(_finding(where, mark))


def _texts(field: Field) -> Iterator[str]:
    """Members as printed, the cells of a table's row as lines too: a mark alone in a cell stands for itself."""
    for member in members(field):
        yield member
        if "\t" in member:
            yield member.replace("\t", "\n")
    if len(field.values) > 1:
        yield "\n".join(field.values)


def _title_paths(config: SourceConfig) -> frozenset[str]:
    return frozenset(
        path.casefold()
        for rule in config.records
        for name, field in rule.fields.items()
        if name in TEXTS_OF_TITLE
        for path in field.from_
    )


def _context_findings(record: SourceRecord) -> Iterator[Finding]:
    for key, value in record.context.items():
        yield from _some(_finding(f"context {_safe(key)}", mark_in_name(re.split(r"[\\/]", value)[-1])))


def _file_findings(at: int, file: Attachment) -> Iterator[Finding]:
    yield from _some(_finding(f"attachment {at} name", mark_in_name(re.split(r"[\\/]", file.name)[-1])))
    for member, text in opening_texts(file.content):
        if member:
            yield from _some(_finding(f"attachment {at} name", mark_in_name(member.rpartition("/")[2])))
        yield from _some(_finding(f"attachment {at} text", mark_in_text(text)))


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
    for pattern in (_ITEM, _ELEMENT, _PAIR):
        for match in pattern.finditer(text):
            name = html.unescape(match["name"])
            if is_classification_field(name):
                body, _, rest = match["body"].partition("</item")
                value = markup_text(body).strip()
                whole = pattern is _ELEMENT or (pattern is _ITEM and bool(rest))
                mark = level_of_value(value) if whole else mark_in_title(value)
                yield _finding(f"raw field {_safe(name)}", mark)
    plain = _BASE64.sub("\n", text)
    plain = markup_text(plain)
    for around in _around_candidates(plain):
        yield _finding("raw text", mark_in_text(around))


def _around_candidates(text: str) -> Iterator[str]:
    """The stretches of ``text`` in which a mark may stand, each once."""
    start, end = 0, 0
    for match in patterns().candidate.finditer(text):
        if match.start() - _AROUND > end:
            yield text[start:end]
            start = match.start() - _AROUND
        end = match.end() + _AROUND
    yield text[start:end]


# Possessive, so that no text makes them try twice.
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/])(?:(?:[A-Za-z0-9+/]{40,}+[ \t]*+[\r\n]{0,2}+[ \t]*+){2,}+[A-Za-z0-9+/=\r\n \t]*+"
    r"|[A-Za-z0-9+/]{200,}+={0,2})"
)
_BASE64_BYTES = re.compile(_BASE64.pattern.encode("ascii"))


def _payload_findings(data: bytes) -> Iterator[Finding | None]:
    for count, match in enumerate(_BASE64_BYTES.finditer(data), 1):
        if count > _PAYLOADS:
            return
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", match.group())
        try:
            payload = base64.b64decode(
                letters[: len(letters) - (len(letters) % 4 == 1)] + b"=" * (-len(letters) % 4)
            )
        except (binascii.Error, ValueError):
            continue
        for member, text in opening_texts(BytesContent(payload), depth=2):
            if member:
                yield _finding(f"payload {count} name", mark_in_name(member.rpartition("/")[2]))
            yield _finding(f"payload {count} text", mark_in_text(text))


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
