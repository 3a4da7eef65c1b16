"""The text of an HTML mail body: what its reader sees, a block a line. Nothing of it is run or fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_UNSEEN = frozenset({"script", "style", "template"})
_CELLS = frozenset({"td", "th"})
_INLINE = frozenset(
    {
        *(
            "a",
            "abbr",
            "acronym",
            "b",
            "bdo",
            "big",
            "cite",
            "code",
            "em",
            "font",
            "i",
            "img",
            "ins",
            "kbd",
            "label",
        ),
        *(
            "mark",
            "o:p",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strike",
            "strong",
            "sub",
            "sup",
            "tt",
            "u",
            "var",
            "wbr",
        ),
    }
)
_SPACE = re.compile(r"[ \t\r\n\f]+")


def html_text(markup: str) -> str:
    """The text of ``markup``; cells of a row are parted by tabs, alternative text of images is in brackets."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = ("".join(reader.pieces)).split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip(" ") for line in lines)).strip("\n")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _CELLS:
            self._part("\t")
        elif tag == "pre":
            self._verbatim += 1
            self._part("\n")
        elif tag == "br":
            self.pieces.append("\n")
        elif tag not in _INLINE:
            self._part("\n")
        text = dict(attrs).get("alt") if tag == "img" else None
        if text:
            self.pieces.append(f"[{text}]")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)
            self._part("\n")
        elif tag not in _INLINE and tag not in _CELLS and tag != "br":
            self._part("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if not self._verbatim:
            data = _SPACE.sub(" ", data)
            if not self.pieces or self.pieces[-1].endswith(("\n", "\t", " ")):
                data = data.removeprefix(" ")
        if data:
            self.pieces.append(data)

    def _part(self, separator: str) -> None:
        """Parts what follows from what came, once: white space between two tags parts nothing."""
        while self.pieces and self.pieces[-1] == " ":
            self.pieces.pop()
        if self.pieces and not self.pieces[-1].endswith(("\n", "\t")):
            self.pieces.append(separator)
