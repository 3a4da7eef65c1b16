"""The first text of office files: OOXML and OpenDocument packages, RTF, and the old binary formats."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping

from lxml import etree

_PARTS = re.compile(
    r"word/(?:header|footer|document)\d*\.xml|xl/sharedStrings\.xml|xl/worksheets/sheet1\.xml|xl/drawings/drawing1\.xml"
    r"|ppt/slides/slide1\.xml|content\.xml|styles\.xml|meta\.xml|docProps/(?:core|custom)\.xml"
)
_BODIES = ("document", "content", "sharedStrings", "sheet1", "slide1")
_PARAGRAPHS = frozenset(
    ("p", "h", "si", "is", "oddHeader", "evenHeader", "firstHeader", "oddFooter", "evenFooter", "firstFooter")
)
_TEXTS = frozenset(("t", "delText", "instrText"))
_BREAKS = frozenset(("tab", "br", "cr", "line-break", "s", "ptab"))


def office_parts(package: zipfile.ZipFile, largest: int) -> list[zipfile.ZipInfo]:
    """The parts of an office package that open it, headers before bodies; none when it is another ZIP.

    Parts that unpack to more than ``largest`` bytes are left out.
    """
    members = [member for member in package.infolist() if _PARTS.fullmatch(member.filename)]
    if not any(_stem(member) in _BODIES or "word/" in member.filename for member in members):
        return []
    members.sort(key=lambda member: _stem(member).rstrip("0123456789") in _BODIES)
    return [member for member in members if member.file_size <= largest]


def office_text(package: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> str:
    """Paragraphs of one XML part, each on a line, until ``limit`` characters; those inside text boxes come
    first, and what Word draws as a watermark counts as one."""
    lines: list[str] = []
    size = 0
    with package.open(member) as stream:
        parser = etree.iterparse(
            stream, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, element in parser:
            line = _line_of(element, member.filename)
            if line is None:
                continue
            lines.append(line)
            size += len(line)
            if size > limit:
                break
    return "\n".join(lines)


def _stem(member: zipfile.ZipInfo) -> str:
    return member.filename.rpartition("/")[2].removesuffix(".xml")


def _line_of(element: etree._Element, part: str) -> str | None:
    if not isinstance(element.tag, str):
        return None
    name = etree.QName(element).localname
    if name == "textpath":
        return str(element.get("string") or "")
    if part.startswith("docProps/") or part == "meta.xml":
        return _property_line(element, name)
    if name not in _PARAGRAPHS:
        return None
    line = "".join(_pieces(element))
    element.clear(keep_tail=True)
    return line


def _property_line(element: etree._Element, name: str) -> str | None:
    """A document property as it is, and after the words of its name: ``DoMat`` is a label, too."""
    label = element.get("name") or name
    value = " ".join(" ".join(map(str, element.itertext())).split())
    if not value or len(element) > 1:
        return None
    return f"{value}\n{re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', label)}: {value}"


def _pieces(paragraph: etree._Element) -> Iterator[str]:
    mixed = "opendocument" in str(paragraph.tag)
    for node in paragraph.iter(etree.Element):
        name = etree.QName(node).localname
        if name in _BREAKS:
            yield "\n"
        elif node.text and (mixed or name in _TEXTS or name in _PARAGRAPHS):
            yield node.text
        if mixed and node.tail and node is not paragraph:
            yield node.tail


# One token a match; possessive, so that no file makes it try twice.
_RTF = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<symbol>.)|(?P<brace>[{}])"
    r"|(?P<text>[^\\{}\r\n]++)",
    re.DOTALL,
)
_RTF_BREAKS = frozenset(
    ("par", "line", "cell", "row", "page", "sect", "tab", "column", "nestcell", "shptxt", "sn", "sv")
)
_RTF_SKIPPED = frozenset(
    (*("fonttbl", "colortbl", "stylesheet", "pict", "object", "objdata", "datastore", "themedata", "listtable"),
     *("listoverridetable", "rsidtbl", "xmlnstbl", "latentstyles", "filetbl", "revtbl", "colorschememapping"))
)  # fmt: skip
_RTF_KEPT = frozenset(("shpinst", "shptxt", "background", "hlinkbase"))
"""Optional destinations that hold text to be seen: text boxes and WordArt."""


def rtf_text(source: str) -> str:
    """Text of RTF (its bytes as Latin-1): paragraphs, text boxes, headers and footers, in the file's code page."""
    return "".join(text for text, _ in rtf_runs(source))


def rtf_runs(source: str) -> list[tuple[str, str | None]]:
    """The same text piece by piece, each with the name of its font; ``None`` where the file names none."""
    page = re.search(r"\\ansicpg(\d{3,5})", source[:4096])
    default = re.search(r"\\deff(\d{1,5})", source[:4096])
    reader = _RtfReader(
        _codec(page[1] if page else "1252"), _rtf_fonts(source), default[1] if default else "0"
    )
    for token in _RTF.finditer(source):
        if token["brace"]:
            reader.turn(token["brace"])
        elif token["word"]:
            reader.control(token["word"], token["number"])
        elif token["symbol"]:
            reader.symbol(token["symbol"])
        elif token["byte"]:
            reader.write(bytes.fromhex(token["byte"]).decode(reader.codec, "replace"))
        else:
            reader.write(token["text"])
    return reader.out


_RTF_FONT = re.compile(
    r"\\f(\d{1,5})(?:\\(?!f\d)[a-z]+-?\d{0,10} ?|\{[^{}]{0,400}\}|[\r\n])*+([^\\{};]{1,100})", re.IGNORECASE
)


def _rtf_fonts(source: str) -> dict[str, str]:
    """The names of the fonts by their numbers (RTF 1.9.1, Font Table)."""
    start = source.find("{\\fonttbl")
    if start < 0:
        return {}
    depth = 0
    for brace in re.finditer(r"(?<!\\)[{}]", source[start : start + (1 << 18)]):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            table = source[start : start + brace.start()]
            return {number: name.strip() for number, name in _RTF_FONT.findall(table)}
    return {}


class _RtfReader:
    """Where reading stands: which groups are skipped, which font is on, and how many characters after a ``\\u``
    stand in for it."""

    def __init__(self, codec: str, fonts: Mapping[str, str], default: str) -> None:
        self.codec = codec
        self.out: list[tuple[str, str | None]] = []
        self._fonts = fonts
        self._default = fonts.get(default)
        self._font = self._default
        self._outer: list[tuple[bool, int, str | None]] = []
        self._skipped, self._optional = False, False
        self._fallback, self._dropping = 1, 0

    def turn(self, brace: str) -> None:
        if brace == "{":
            self._outer.append((self._skipped, self._fallback, self._font))
        elif self._outer:
            self._skipped, self._fallback, self._font = self._outer.pop()
        self._optional, self._dropping = False, 0

    def control(self, word: str, number: str | None) -> None:
        if word in _RTF_SKIPPED or (self._optional and word not in _RTF_KEPT):
            self._skipped = True
        self._optional = False
        if word == "uc":
            self._fallback = min(int(number or 1), 10)
        elif word == "f" and number:
            self._font = self._fonts.get(number)
        elif word == "plain":
            self._font = self._default
        elif word == "u" and number and not self._skipped:
            self.out.append((chr(int(number) % 65536), self._font))
            self._dropping = self._fallback
        elif word in _RTF_BREAKS:
            self._put("\n")

    def symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._optional = True
        else:
            self._put({"~": " ", "-": "", "_": "-", "\r": "\n"}.get(symbol, symbol))

    def write(self, text: str) -> None:
        kept = text[self._dropping :]
        self._dropping = max(self._dropping - len(text), 0)
        self._put(kept)

    def _put(self, text: str) -> None:
        if not self._skipped:
            self.out.append((text, self._font))


def _codec(page: str) -> str:
    try:
        b"".decode(f"cp{page}")
    except LookupError:
        return "cp1252"
    return f"cp{page}"


def ole_text(data: bytes) -> str:
    """Words in an old Office file, read as UTF-16 and as code page 1252; only lines that are text are kept."""
    found: list[str] = []
    for text in (data.decode("utf-16-le", errors="replace"), data.decode("cp1252", errors="replace")):
        for line in re.split(r"[\x00-\x08\x0b-\x1f\ufffd]+", text):
            letters = sum(c.isalpha() and c < "\u2000" for c in line)
            if letters >= 2 and letters >= len(line) * 0.25 and len(line) < 2000:
                found.append(line)
    return "\n".join(found)
