"""Hypothesis strategies for exports that conform to the DTD of Domino 9.0.1, each with what a reader must find in it.

Every kind of item is made, rich text with tables, sections and runs, files and OLE objects, in several encodings,
with both ways of quoting and line breaks inside tags.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from connectors.lotus_notes.values import NUL_MARK
from tests.connectors.dxl_builder import index

LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=30
)
_NAMES = st.from_regex(r"\A[$A-Za-z_][A-Za-z0-9_]{0,12}\Z")
_GAPS = st.sampled_from([" ", "\n", "\n ", "\r\n", "\t", "  "])
_BETWEEN = st.sampled_from(["", "\n", "\r\n", "\n\n", "\n<!-- <item name='a'> -->\n", "<?x <document ?>"])
_BOOLEAN = st.sampled_from(["true", "false"])
_HEX = "0123456789abcdef"
_UNIDS = st.text(_HEX.upper(), min_size=32, max_size=32)
_BYTES = st.one_of(
    st.binary(max_size=200), st.binary(min_size=1, max_size=20).map(lambda seed: seed * (6000 // len(seed)))
)
_OLE_HEAD = bytes.fromhex("d0cf11e0a1b11ae1")

DATETIMES = st.sampled_from(
    [
        ("", ""),
        ("20200727", "2020-07-27"),
        ("T010000,00", "T01:00:00.00"),
        ("T235959,99", "T23:59:59.99"),
        ("20210828T133245,57+02", "2021-08-28T13:32:45.57+02:00"),
        ("20131231T235959,00+0530", "2013-12-31T23:59:59.00+05:30"),
        ("20131231T235959,00-0330", "2013-12-31T23:59:59.00-03:30"),
        ("20100423T103000,00Z", "2010-04-23T10:30:00.00Z"),
        ("20190522T185229", "2019-05-22T18:52:29"),
    ]
)
NUMBERS = st.one_of(
    st.integers(-(10**15), 10**15).map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr)
)


@dataclass(frozen=True)
class MadeItem:
    """An ``<item>`` and what is to be found in it; ``letters`` are those of rich text, white space left out."""

    xml: str
    name: str
    kind: str
    values: tuple[str, ...] = ()
    letters: str | None = None
    sealed: bool = False


@dataclass(frozen=True)
class MadeFile:
    """A file as it is to come back."""

    name: str
    data: bytes
    item: str = "$FILE"
    ole: bool = False


@dataclass(frozen=True)
class MadeRecord:
    """A record and what is to be found in it; ``noteinfo`` holds what is printed there, by field name."""

    xml: str
    element: str
    form: str
    unid: str
    noteinfo: dict[str, tuple[str, ...]]
    items: list[MadeItem]
    files: list[MadeFile] = field(default_factory=list)


@dataclass(frozen=True)
class MadeExport:
    """A file, and the records in it in order; ``skipped`` counts its design elements and other notes."""

    data: bytes
    encoding: str
    records: list[MadeRecord]
    skipped: int


@st.composite
def attributes(draw: st.DrawFn, values: dict[str, str]) -> str:
    """Attributes in any order, with any quotes and any white space before each."""
    printed = []
    for name, value in draw(st.permutations(sorted(values.items()))):
        quote = draw(st.sampled_from("'\""))
        text = escape(value, {quote: "&quot;" if quote == '"' else "&apos;"})
        text = "".join(f"&#{ord(letter)};" if letter in "\t\r\n" else letter for letter in text)
        printed.append(f"{draw(_GAPS)}{name}={quote}{text}{quote}")
    return "".join(printed) + draw(st.sampled_from(["", " ", "\n"]))


def text_xml(text: str) -> str:
    """Text as the exporter writes it: line feeds as elements, what XML forbids by its number."""
    return "".join(_letter(letter) for letter in text)


def read_text(text: str) -> str:
    """What is read of it: no store holds a NUL."""
    return text.replace("\0", NUL_MARK)


def _letter(letter: str) -> str:
    if letter == "\n":
        return "<break/>"
    if letter == "\r":
        return "&#13;"
    if (letter < " " and letter != "\t") or letter in "\ufffe\uffff":
        return f"<nonxmlchar value='{ord(letter):x}'/>"
    return escape(letter)


def lines_of(data: bytes, width: int = 76) -> str:
    """Base64 in lines."""
    text = base64.b64encode(data).decode("ascii")
    return "".join(text[at : at + width] + "\n" for at in range(0, len(text), width))


@st.composite
def _item(
    draw: st.DrawFn, kind: str, inner: str, values: tuple[str, ...], letters: str | None = None
) -> MadeItem:
    name = draw(_NAMES)
    flags = draw(
        st.dictionaries(st.sampled_from(["sign", "seal", "summary", "names", "readers", "authors"]), _BOOLEAN)
    )
    around = draw(st.sampled_from(["", "\n"]))
    start = draw(attributes(flags | {"name": name}))
    return MadeItem(f"<item{start}>{around}{inner}{around}</item>", name, kind, values, letters)


@st.composite
def text_items(draw: st.DrawFn) -> MadeItem:
    text = draw(LETTERS)
    return draw(_item("text", f"<text{draw(attributes({}))}>{text_xml(text)}</text>", (read_text(text),)))


@st.composite
def text_lists(draw: st.DrawFn) -> MadeItem:
    texts = draw(st.lists(LETTERS, max_size=4))
    inner = "".join(f"<text>{text_xml(text)}</text>\n" if text else "<text/>" for text in texts)
    return draw(_item("textlist", f"<textlist>{inner}</textlist>", tuple(map(read_text, texts))))


@st.composite
def numbers(draw: st.DrawFn) -> MadeItem:
    values = draw(st.lists(NUMBERS, min_size=1, max_size=4))
    if len(values) == 1:
        return draw(_item("number", f"<number\n>{values[0]}</number>", tuple(values)))
    inner = "".join(f"<number>{value}</number>" for value in values)
    return draw(_item("numberlist", f"<numberlist>{inner}</numberlist>", tuple(values)))


@st.composite
def datetimes(draw: st.DrawFn) -> MadeItem:
    printed, iso = draw(DATETIMES)
    dst = draw(attributes(draw(st.sampled_from([{}, {"dst": "true"}]))))
    return draw(_item("datetime", f"<datetime{dst}>{printed}</datetime>", (iso,)))


@st.composite
def datetime_lists(draw: st.DrawFn) -> MadeItem:
    single = draw(st.lists(DATETIMES, max_size=3))
    pairs = draw(st.lists(st.tuples(DATETIMES, DATETIMES), max_size=2))
    inner = "".join(f"<datetime>{printed}</datetime>\n" for printed, _ in single) + "".join(
        f"<datetimepair><datetime>{first}</datetime><datetime>{last}</datetime></datetimepair>"
        for (first, _), (last, _) in pairs
    )
    values = (*(iso for _, iso in single), *(f"{first}/{last}" for (_, first), (_, last) in pairs))
    return draw(_item("datetimelist", f"<datetimelist>{inner}</datetimelist>", values))


@st.composite
def formulas(draw: st.DrawFn) -> MadeItem:
    text = draw(LETTERS.filter(lambda text: "\n" not in text))
    return draw(_item("formula", f"<formula>{text_xml(text)}</formula>", (read_text(text),)))


@st.composite
def references(draw: st.DrawFn) -> MadeItem:
    unids = draw(st.lists(_UNIDS, max_size=3))
    data = len(unids).to_bytes(2, "little") + b"".join(
        bytes.fromhex(unid)[7::-1] + bytes.fromhex(unid)[:7:-1] for unid in unids
    )
    return draw(_item("rawitemdata", f"<rawitemdata type='4'>\n{lines_of(data)}</rawitemdata>", tuple(unids)))


@st.composite
def raw_items(draw: st.DrawFn) -> MadeItem:
    element = draw(st.sampled_from(["rawitemdata", "itemdata"]))
    kind = draw(st.sampled_from(["2", "3", "5", "6", "e", "10", "1a", "12"]))
    data = draw(st.binary(max_size=300))
    inner = f"<{element} type='{kind}'>{lines_of(data)}</{element}>"
    return draw(_item(element, inner, (base64.b64encode(data).decode("ascii"),)))


@st.composite
def rich_texts(draw: st.DrawFn) -> MadeItem:
    blocks = draw(st.lists(_blocks(), max_size=4))
    letters = "".join(letters for _, letters in blocks)
    pardefs = "<pardef id='1'/><pardef id='2' hide='print' align='center'/>"
    inner = "\n".join(xml for xml, _ in blocks)
    return draw(_item("richtext", f"<richtext>\n{pardefs}{inner}</richtext>", (), letters))


def _bare(text: str) -> str:
    return "".join(text.split())


@st.composite
def _paragraphs(draw: st.DrawFn) -> tuple[str, str]:
    parts, letters = [], []
    for _ in range(draw(st.integers(0, 4))):
        text = draw(_WORDS)
        shape = draw(st.sampled_from(["{}", "<run>{}</run>", "<run>{0}<font size='9pt' name='.VnTime'/></run>",
                                      "<run><font\n style='bold'/>{}</run>", "<run><run>{}</run></run>",
                                      "{}<break/>", "<urllink href='x'><run>{}</run></urllink>"]))  # fmt: skip
        parts.append(shape.format(escape(text)))
        letters.append(_bare(text))
    start = draw(attributes({"def": draw(st.sampled_from("12"))}))
    return f"<par{start}>{''.join(parts)}</par>", "".join(letters)


def _blocks() -> st.SearchStrategy[tuple[str, str]]:
    return st.recursive(
        _paragraphs(), lambda inner: st.one_of(_tables(inner), _sections(inner)), max_leaves=6
    )


@st.composite
def _tables(draw: st.DrawFn, inner: st.SearchStrategy[tuple[str, str]]) -> tuple[str, str]:
    cells = draw(st.lists(st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=3))
    rows = "".join(
        "<tablerow>"
        + "".join(f"<tablecell bgcolor='white'>{xml}</tablecell>" for xml, _ in row)
        + "</tablerow>\n"
        for row in cells
    )
    letters = "".join(letters for row in cells for _, letters in row)
    return f"<table leftmargin='0'><tablecolumn width='1in'/>{rows}</table>", letters


@st.composite
def _sections(draw: st.DrawFn, inner: st.SearchStrategy[tuple[str, str]]) -> tuple[str, str]:
    title = draw(_WORDS)
    xml, letters = draw(inner)
    title_xml = f"<sectiontitle pardef='1'><run>{escape(title)}</run></sectiontitle>"
    return f"<section expanded='true'>{title_xml}{xml}</section>", _bare(title) + letters


ITEMS = st.one_of(
    text_items(), text_lists(), numbers(), datetimes(), datetime_lists(), formulas(), references(), raw_items(),
    rich_texts(),
)  # fmt: skip


@st.composite
def file_items(draw: st.DrawFn) -> tuple[list[MadeItem], list[MadeFile]]:
    """An attachment, or an OLE object in pages whose items stand in another order."""
    if draw(st.integers(0, 3)):
        data, name = draw(_BYTES), draw(st.sampled_from(["cv.pdf", "Công văn 1.doc", "a&b'.xls", "cv.pdf"]))
        return [_file_item(name, data, "msdos", draw(st.booleans()))], [MadeFile(name, data)]
    data = _OLE_HEAD + draw(_BYTES)
    size = draw(st.integers(max(8, len(data) // 5), 7000))
    pages = [data[at : at + size] for at in range(0, len(data), size)]
    names = [f"STG{at:05}" for at in range(len(pages))]
    items = [_file_item(name, page, "bytearraypage", True) for name, page in zip(names, pages, strict=True)]
    items.append(_file_item("EXT00001", index(names, size), "bytearrayext", True))
    return list(draw(st.permutations(items))), [MadeFile("EXT00001", data, ole=True)]


def _file_item(name: str, data: bytes, host: str, sized: bool) -> MadeItem:
    size = f" size='{len(data)}'" if sized else ""
    quoted = escape(name, {"'": "&apos;"})
    xml = (
        f"<item name='$FILE' summary='true'><object><file hosttype='{host}'\n flags='storedindoc'{size} "
        f"name='{quoted}'><created><datetime/></created><modified/>"
        f"<filedata>\n{lines_of(data)}</filedata></file></object></item>"
    )
    return MadeItem(xml, "$FILE", "object", (name,))


@st.composite
def records(draw: st.DrawFn, element: str | None = None) -> MadeRecord:
    """A ``<document>``, a ``<note class='document'>`` or a ``<profiledocument>``."""
    element = element or draw(st.sampled_from(["document", "document", "note", "profiledocument"]))
    info, noteinfo, unid = draw(_noteinfos())
    items = draw(st.lists(ITEMS, max_size=6))
    files: list[MadeFile] = []
    if draw(st.integers(0, 2)) == 0:
        more, files = draw(file_items())
        items = [*items, *more]
    form = draw(st.sampled_from(["", "VanBanDen", "Công văn"])) if element == "document" else ""
    said = {"form": form} if form else {}
    said |= {"note": {"class": "document"}, "profiledocument": {"name": "CauHinh"}}.get(element, {})
    between = draw(_BETWEEN)
    body = between.join([info, *(item.xml for item in items)])
    xml = f"<{element}{draw(attributes(said))}>{between}{body}{between}</{element}>"
    if not form:
        form = next((i.values[0] for i in items if i.name.lower() == "form" and i.values), "")
    return MadeRecord(xml, element, form, unid, noteinfo, items, files)


@st.composite
def _noteinfos(draw: st.DrawFn) -> tuple[str, dict[str, tuple[str, ...]], str]:
    if not draw(st.integers(0, 5)):
        return "", {}, ""
    unid = draw(_UNIDS)
    said = {"noteid": draw(st.text(_HEX, min_size=1, max_size=8)), "unid": unid, "sequence": "3"}
    found = {f"$noteinfo.{name}": (value,) for name, value in said.items()}
    inner = []
    for name in ("created", "modified", "revised", "lastaccessed", "addedtofile"):
        shape = draw(st.sampled_from(["none", "empty", "value", "value"]))
        if shape == "empty":
            inner.append(f"<{name}/>")
            found[f"$noteinfo.{name}"] = ()
        elif shape == "value":
            printed, iso = draw(DATETIMES)
            inner.append(f"<{name}><datetime>{printed}</datetime></{name}>")
            found[f"$noteinfo.{name}"] = (iso,)
    return f"<noteinfo{draw(attributes(said))}>{''.join(inner)}</noteinfo>", found, unid


_DESIGN = st.sampled_from(
    [
        "<form name='a'><item name='$x'><text/></item></form>",
        "<view name='b'/>",
        "<note class='icon'><item name='x'><text>y</text></item></note>",
        "<note class='form'/>",
    ]
)


@st.composite
def exports(draw: st.DrawFn) -> MadeExport:
    """A ``<database>`` of records and design elements, or one record that is its own root."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "iso-8859-1", "us-ascii", "windows-1258"]))
    namespace = "xmlns='http://www.lotus.com/dxl'"
    skipped = 0
    if draw(st.integers(0, 4)) == 0:
        made = [draw(records(draw(st.sampled_from(["document", "note"]))))]
        start, rest = made[0].xml[: len(made[0].element) + 1], made[0].xml[len(made[0].element) + 1 :]
        body = f"{start} {namespace}{rest}"
    else:
        made, pieces = [], []
        for _ in range(draw(st.integers(1, 4))):
            if draw(st.integers(0, 3)) == 0:
                pieces.append(draw(_DESIGN))
                skipped += 1
            made.append(draw(records()))
            pieces.append(made[-1].xml)
        doctype = draw(st.sampled_from(["", "<!DOCTYPE database SYSTEM 'xmlschemas/domino_8_5_3.dtd'>\n"]))
        inside = "\n".join(pieces)
        body = f"{doctype}<database {namespace}\n version='8.5' replicaid='472572A1000FBC01'>\n{inside}</database>\n"
    declared = f"<?xml version='1.0' encoding='{encoding}'?>\n"
    return MadeExport((declared + body).encode(encoding, "xmlcharrefreplace"), encoding, made, skipped)
