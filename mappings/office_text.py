"""Paragraphs of office files with their fonts: OOXML, OpenDocument, workbooks and RTF.

Elements are told by their local names, so that the strict and the transitional namespaces read alike. A run's font is
its own, or else that of its style, of its paragraph's style, of the defaults (ECMA-376-1 17.7.2; OpenDocument 1.3
part 3, 16.2).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, time

from lxml import etree

from mappings.file_text import Paragraph, Reading, package
from mappings.opening_office import rtf_runs
from schemas.record import TextRun

_OOXML_PARTS = re.compile(
    r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml"
    r"|ppt/(?:slides/slide|notesSlides/notesSlide)\d+\.xml"
)
_FIRST_PARTS = re.compile(r"word/document\.xml|ppt/slides/.*")
_BREAKS: Mapping[str, str] = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "line-break": "\n", "s": " "}


def ooxml_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """Of a Word document or a presentation: its body, then headers, footers, notes and comments."""
    with package(reading) as opened:
        names = [name for name in opened.namelist() if _OOXML_PARTS.fullmatch(name)]
        styles = _OoxmlStyles(opened)
        for name in sorted(names, key=lambda name: (_FIRST_PARTS.fullmatch(name) is None, len(name), name)):
            for paragraph in _elements(opened, name, "p"):
                yield list(_ooxml_runs(paragraph, styles))


def odf_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """Of an OpenDocument text, spreadsheet or presentation: its content, then headers and footers."""
    with package(reading) as opened:
        fonts: dict[str, str | None] = {}
        for name in ("styles.xml", "content.xml"):
            if name in opened.namelist():
                fonts |= _odf_fonts(opened, name, fonts)
        for name in ("content.xml", "styles.xml"):
            if name in opened.namelist():
                for paragraph in _elements(opened, name, "p", "h"):
                    parent = paragraph.getparent()
                    outer = fonts.get("") if parent is None else fonts.get(_attribute(parent, "style-name"))
                    yield list(_odf_runs(paragraph, fonts, outer))


def sheet_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """Of an Excel workbook: each row's cells, with the fonts of their cells; values, not formulas."""
    import openpyxl  # loading it takes long, and only workbooks need it

    package(reading)
    reading.engine = f"{reading.engine}, openpyxl {openpyxl.__version__}"
    book = openpyxl.load_workbook(reading.stream, read_only=True, data_only=True, keep_links=False)
    cells = 0
    for sheet in book.worksheets:
        yield [TextRun(sheet.title, _UNICODE)]
        for row in sheet.iter_rows():
            filled = [cell for cell in row if cell.value is not None]
            runs = [TextRun(_shown(cell.value), cell.font.name if cell.font else None) for cell in filled]
            if runs:
                yield [run for cell in runs for run in (cell, TextRun("\t", cell.font))]
            cells += len(row)
            if cells > reading.limits.cells:
                reading.cut = "cells"
                return


_UNICODE = "Calibri"  # what Excel shows names of sheets in: no legacy font can be chosen there


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M" if value.time() != time() else "%d/%m/%Y")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def rtf_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """Of an RTF document, in its fonts."""
    runs: list[TextRun] = []
    for text, font in rtf_runs(reading.stream.read().decode("latin-1")):
        for number, line in enumerate(text.split("\n")):
            if number:
                yield runs
                runs = []
            runs.append(TextRun(line, font))
    yield runs


def _elements(opened: zipfile.ZipFile, name: str, *wanted: str) -> Iterator[etree._Element]:
    """The elements of these local names in a part, each emptied after use; inner ones come before outer ones."""
    with opened.open(name) as stream:
        parser = etree.iterparse(
            stream, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, element in parser:
            if isinstance(element.tag, str) and etree.QName(element).localname in wanted:
                yield element
                element.clear(keep_tail=True)


def _attribute(element: etree._Element, name: str) -> str:
    """The value of an attribute by its local name; empty for none."""
    for key, value in element.attrib.items():
        if etree.QName(str(key)).localname == name:
            return str(value)
    return ""


def _child(element: etree._Element | None, *path: str) -> etree._Element | None:
    for name in path:
        if element is None:
            return None
        element = next(
            (
                child
                for child in element
                if isinstance(child.tag, str) and etree.QName(child).localname == name
            ),
            None,
        )
    return element


class _OoxmlStyles:
    """Which font a style has."""

    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._own: dict[str, tuple[str | None, str]] = {}  # style: font, the style that it is based on
        self.default: str | None = None
        self.of_paragraphs = ""
        if "word/styles.xml" not in opened.namelist():
            return
        for element in _elements(opened, "word/styles.xml", "docDefaults", "style"):
            if etree.QName(element).localname == "docDefaults":
                self.default = _ooxml_font(_child(element, "rPrDefault", "rPr"))
                continue
            name = _attribute(element, "styleId")
            based_on = _child(element, "basedOn")
            base = _attribute(based_on, "val") if based_on is not None else ""
            self._own[name] = (_ooxml_font(_child(element, "rPr")), base)
            if _attribute(element, "type") == "paragraph" and _attribute(element, "default") in ("1", "true"):
                self.of_paragraphs = name

    def font(self, style: str) -> str | None:
        """The font of ``style`` or of those that it is based on."""
        seen: set[str] = set()
        while style in self._own and style not in seen:
            seen.add(style)
            font, base = self._own[style]
            if font:
                return font
            style = base
        return None


def _ooxml_font(properties: etree._Element | None) -> str | None:
    fonts = _child(properties, "rFonts")
    if fonts is not None:
        return _attribute(fonts, "ascii") or _attribute(fonts, "hAnsi") or None
    latin = _child(properties, "latin")
    return (_attribute(latin, "typeface") or None) if latin is not None else None


def _ooxml_runs(paragraph: etree._Element, styles: _OoxmlStyles) -> Iterator[TextRun]:
    named = _child(paragraph, "pPr", "pStyle")
    style = _attribute(named, "val") if named is not None else styles.of_paragraphs
    inherited = styles.font(style) or styles.default
    for run in paragraph.iter("{*}r", "{*}fld"):
        properties = _child(run, "rPr")
        of_run = _child(properties, "rStyle")
        font = (
            _ooxml_font(properties)
            or (styles.font(_attribute(of_run, "val")) if of_run is not None else None)
            or inherited
        )
        text = "".join(_ooxml_pieces(run))
        if text:
            yield TextRun(text, font)


def _ooxml_pieces(run: etree._Element) -> Iterator[str]:
    for child in run:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if name == "t":
            yield child.text or ""
        elif name == "noBreakHyphen":
            yield "-"
        elif name in _BREAKS:
            yield _BREAKS[name]


def _odf_fonts(opened: zipfile.ZipFile, name: str, known: Mapping[str, str | None]) -> dict[str, str | None]:
    """The font of each style of a part; ``""``: the default of paragraphs."""
    fonts = dict(known)
    for element in _elements(opened, name, "style", "default-style"):
        properties = _child(element, "text-properties")
        own = ""
        if properties is not None:
            own = _attribute(properties, "font-name") or _attribute(properties, "font-family").strip("'\"")
        if etree.QName(element).localname == "default-style":
            if own and _attribute(element, "family") == "paragraph":
                fonts[""] = own
            continue
        # A parent stands before its children in practice; one that does not is as if it had no font.
        inherited = fonts.get(_attribute(element, "parent-style-name"))
        fonts[_attribute(element, "name")] = own or inherited
    return fonts


def _odf_runs(
    element: etree._Element, fonts: Mapping[str, str | None], outer: str | None
) -> Iterator[TextRun]:
    font = fonts.get(_attribute(element, "style-name")) or outer or fonts.get("")
    if element.text:
        yield TextRun(element.text, font)
    for child in element:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if name in _BREAKS or name == "tab":
            yield TextRun(_BREAKS[name] * (int(_attribute(child, "c") or 1) if name == "s" else 1), font)
        elif name:
            yield from _odf_runs(child, fonts, font)
        if child.tail:
            yield TextRun(child.tail, font)
