"""A record of an export as one page of HTML that is safe to open: what a clerk looks at to see what a document was.

The page is whole in itself: nothing is fetched, nothing runs (its content security policy forbids both), and the only
links are those that ``safe_html`` lets through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connectors.lotus_notes.encoding import UTF8, named
from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.record_xml import read_xml
from connectors.lotus_notes.richtext_html import Decode, html_of
from connectors.lotus_notes.safe_html import content, escaped
from schemas.record import Attachment, Field, SourceRecord, sha256_of

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
body{font-family:'Times New Roman',serif;margin:1em auto;max-width:60em;padding:0 1em}
h1{font-size:1.3em} h2{font-size:1.1em;margin-top:1.5em}
table{border-collapse:collapse} td,th{border:1px solid #bbb;padding:.2em .5em;text-align:left;vertical-align:top}
.value,.par,.title,.passthru{white-space:pre-wrap} .par{min-height:1em} .hash{font-family:monospace;font-size:.8em}
[data-hidden]{border-left:.3em solid #c60;opacity:.7;padding-left:.4em}
.passthru{background:#eee} .char{background:#fd8} .button,.caption{border:1px solid #bbb;padding:0 .4em}
"""


def record_page(record: SourceRecord, decode: Decode | None = None) -> str:
    """The page of a record that ``dxl.read_record`` has read.

    Args:
        record: the record.
        decode: as in ``richtext_html.html_of``; values without a font are decoded too.
    """
    unid = _value(record, "$noteinfo.unid")
    title = content(" – ".join(part for part in (record.form, unid) if part) or "DXL")
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8"/>',
            f'<meta http-equiv="Content-Security-Policy" content="{escaped(_POLICY)}"/>',
            f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
            _table("Trường / Fields", _items(record, decode)),
            _table("Tệp đính kèm / Attachments", map(_attachment, record.attachments)),
            _table(
                "Chưa đọc trọn / Not fully read",
                (
                    (content(each.code), f"{content(each.message)} ({content(each.where)})")
                    for each in record.defects
                ),
            ),
            "</body></html>\n",
        )
    )


def _items(record: SourceRecord, decode: Decode | None) -> Iterator[tuple[str, str]]:
    """Name and shown value of every field, in order; rich text as HTML."""
    rich = _rich_texts(record)
    first = len(record.fields) - len(rich)
    for at, field in enumerate(record.fields):
        node = rich[at - first] if at >= first else None
        shown = html_of(node, decode) if node is not None else _values(field, decode)
        if shown:
            yield content(field.name) + _remark(field), shown


def _values(field: Field, decode: Decode | None) -> str:
    if field.runs:
        texts = ["".join(run.text if decode is None else decode(run.text, run.font) for run in field.runs)]
    else:
        texts = [value if decode is None else decode(value, None) for value in field.values]
    return "".join(f'<div class="value">{content(text)}</div>' for text in texts if text)


def _remark(field: Field) -> str:
    return " (mã hóa / sealed)" if field.attributes.get("sealed") == "true" else ""


def _rich_texts(record: SourceRecord) -> list[Node | None]:
    """For every item, its ``<richtext>`` if it is one. Items are the last fields of a record, each one field."""
    encoding = named(record.context.get("encoding", UTF8))
    if isinstance(encoding, str):
        return []
    xml = read_xml(record.original, encoding)
    items = [element for element in xml.root if xml.name(element) == "item"]
    return [
        next((xml.node(inner) for inner in item if xml.name(inner) == "richtext"), None) for item in items
    ]


def _attachment(file: Attachment) -> tuple[str, str]:
    told = f'{file.content.size} byte <span class="hash">SHA-256 {sha256_of(file.content)}</span>'
    wrong = f" ({content(', '.join(file.defects))})" if file.defects else ""
    return content(file.name), f"{told} {content(file.item)}{wrong}"


def _table(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    printed = "".join(f"<tr><th>{name}</th><td>{shown}</td></tr>" for name, shown in rows)
    return f"<h2>{heading}</h2><table><tbody>{printed}</tbody></table>" if printed else ""


def _value(record: SourceRecord, name: str) -> str:
    values: Mapping[str, tuple[str, ...]] = {field.name: field.values for field in reversed(record.fields)}
    return (values.get(name) or ("",))[0]
