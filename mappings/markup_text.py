"""Paragraphs of HTML, XML, mail and plain text."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator, Mapping

import lxml.html
from lxml import etree

from mappings.file_text import Paragraph, Reading
from mappings.opening_text import decode_text, markup_text, without_payloads
from schemas.record import TextRun

_UNSEEN = frozenset(("script", "style", "noscript", "template"))
_INLINE = frozenset(
    (
        "a",
        "abbr",
        "b",
        "big",
        "cite",
        "code",
        "del",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "label",
        "mark",
        "o:p",
        "q",
    )
) | frozenset(("s", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"))
_FAMILY = re.compile(r"font-family\s*:\s*[\"']?([^;\"',}]+)", re.IGNORECASE)
_RULE = re.compile(r"([^{}]{1,400})\{([^{}]{0,2000})\}")
_CLASS = re.compile(r"\.([\w-]+)")
_LATIN = ("", "iso-8859-1", "latin-1", "windows-1252")


def html_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """What a browser would show, block by block, in the fonts that elements, styles and classes name."""
    yield from _html(reading.stream.read())


def xml_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """The text of each element; files in base64 are left out."""
    for line in markup_text(without_payloads(decode_text(reading.stream.read()))).split("\n"):
        if line.strip():
            yield [TextRun(line)]


def plain_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """The lines of a text: by its byte-order mark, as UTF-8, else by code page 1252, which legacy text is read in."""
    for line in decode_text(reading.stream.read()).splitlines():
        yield [TextRun(line)]


def mail_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """Subject and texts of a mail; its files are read where they are attached by themselves."""
    message = email.message_from_binary_file(reading.stream, policy=email.policy.default)
    yield [TextRun(str(message.get("subject", "")))]
    for part in message.walk():
        if part.get_content_maintype() != "text" or part.get_filename():
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        if part.get_content_subtype() == "html":
            yield from _html(data, part.get_content_charset())
            continue
        try:
            text = data.decode(part.get_content_charset() or "utf-8")
        except (LookupError, UnicodeDecodeError):
            text = decode_text(data)
        yield from ([TextRun(line)] for line in text.splitlines())


def _html(data: bytes, charset: str | None = None) -> Iterator[Paragraph]:
    if charset is None or charset in _LATIN:
        charset = _charset(data)
    parser = lxml.html.HTMLParser(encoding=charset, no_network=True, remove_comments=False)
    root = lxml.html.document_fromstring(data, parser=parser)
    runs: list[TextRun] = []
    for run in _shown(root, _class_fonts(root), None):
        if run is not None:
            runs.append(run)
        elif runs:
            yield runs
            runs = []
    yield runs


def _charset(data: bytes) -> str:
    declared = re.search(rb"charset\s*=\s*[\"']?([\w-]{1,40})", data[:4096], re.IGNORECASE)
    named = declared[1].decode("ascii").lower() if declared else ""
    try:
        data.decode(named or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return "cp1252"
    return "cp1252" if named in _LATIN[1:] else named or "utf-8"


def _class_fonts(root: etree._Element) -> dict[str, str]:
    """The font that a style sheet in the page gives a class; Word gives each paragraph one."""
    fonts: dict[str, str] = {}
    for sheet in root.iter("style"):
        for selectors, rules in _RULE.findall(f"{sheet.text or ''}{''.join(map(_comment, sheet))}"):
            if family := _FAMILY.search(rules):
                fonts |= dict.fromkeys(_CLASS.findall(selectors), family[1].strip())
    return fonts


def _comment(node: etree._Element) -> str:
    return str(node.text or "")


def _shown(element: etree._Element, classes: Mapping[str, str], font: str | None) -> Iterator[TextRun | None]:
    """Runs in order; ``None`` between blocks. Walks without recursion: pages may be nested without end."""
    stack: list[tuple[etree._Element, str | None, bool]] = [(element, font, False)]
    while stack:
        node, outer, is_end = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else ""
        is_block = bool(tag) and tag not in _INLINE
        if is_end:
            if is_block:
                yield None
            if node.tail and node is not element:
                yield TextRun(_spaced(node.tail), outer)
            continue
        stack.append((node, outer, True))
        if not tag or tag in _UNSEEN:
            continue
        if is_block:
            yield None
        own = _font(node, classes) or outer
        if node.text:
            yield TextRun(_spaced(node.text), own)
        stack.extend((child, own, False) for child in reversed(node))


def _font(element: etree._Element, classes: Mapping[str, str]) -> str | None:
    if family := _FAMILY.search(element.get("style") or ""):
        return family[1].strip()
    if element.tag == "font" and (face := element.get("face")):
        return str(face).partition(",")[0].strip()
    return next((classes[name] for name in (element.get("class") or "").split() if name in classes), None)


def _spaced(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text)
