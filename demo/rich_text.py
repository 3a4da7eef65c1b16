"""The body of a document as a typist left it in Notes: paragraphs, runs in their fonts, a table at times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from demo.dxl import element_start
from demo.papers import Paper
from demo.tcvn3 import legible, written

Write = Callable[[str], str]
_CENTRED, _JUSTIFIED, _PLAIN = "1", "2", "3"
_PARAGRAPHS = (
    f"<pardef id='{_CENTRED}' align='center'/>",
    f"<pardef id='{_JUSTIFIED}' align='full' firstlineleftmargin='0.5in' leftmargin='0in'"
    " spacebefore='1.5'/>",
    f"<pardef id='{_PLAIN}' leftmargin='0in'/>",
)


@dataclass(frozen=True, slots=True)
class Typing:
    """How an application of its time types: which fonts, and how its letters are coded.

    Attributes:
        body, heading: font names.
        code, code_heading: what becomes of a text in ``body`` and of one in ``heading``.
    """

    body: str
    heading: str
    code: Write
    code_heading: Write


TCVN3_TYPING = Typing(".VnTime", ".VnTimeH", written, lambda text: written(legible(text).lower()))
"""Until about 2009: small letters in a font that shows them as capitals."""


def unicode_typing(code: Write) -> Typing:
    """Since about 2009: Times New Roman; ``code`` chooses the normal form."""
    return Typing("Times New Roman", "Times New Roman", code, lambda text: code(text.upper()))


def rich_text(paper: Paper, typing: Typing, attachment_names: tuple[str, ...], *, table: bool) -> str:
    """The DXL inside ``richtext``: motto, title, body, perhaps a table, and where the attachments stand."""
    parts = [
        *_PARAGRAPHS,
        _paragraph(_CENTRED, _run(typing.code_heading(_motto(paper)), typing.heading, "bold")),
        _paragraph(_CENTRED, _run(typing.code_heading(paper.type_name), typing.heading, "bold", "14pt")),
        _paragraph(_CENTRED, _run(typing.code(paper.subject), typing.body, "bold")),
        *(_paragraph(_JUSTIFIED, _mixed_runs(text, typing)) for text in paper.body),
    ]
    if table:
        parts.append(_table(typing))
    parts.append(_paragraph(_PLAIN, _run(typing.code(paper.official.full_name), typing.body, "bold")))
    parts += [_paragraph(_PLAIN, _attachment(name)) for name in attachment_names]
    return "\n".join(parts)


def _motto(paper: Paper) -> str:
    return "Đảng Cộng sản Việt Nam" if paper.organ.party else "Cộng hòa xã hội chủ nghĩa Việt Nam"


def _mixed_runs(text: str, typing: Typing) -> str:
    """A long paragraph in two runs, cut at a space in its middle, as editing leaves it."""
    cut = text.find(" ", len(text) // 2) + 1
    if len(text) < 80 or cut == 0:
        return _run(typing.code(text), typing.body)
    return _run(typing.code(text[:cut]), typing.body) + _run(typing.code(text[cut:]), typing.body)


def _table(typing: Typing) -> str:
    rows = (
        ("Chỉ tiêu", "Kế hoạch", "Thực hiện"),
        ("Số chi bộ", "412", "409"),
        ("Số lượt người dự", "9.800", "9.655"),
    )
    cells = [
        "<tablerow>"
        + "".join(
            "<tablecell><pardef id='4'/>"
            f"<par def='4'>{_run(typing.code(cell), typing.body)}</par></tablecell>"
            for cell in row
        )
        + "</tablerow>"
        for row in rows
    ]
    columns = "<tablecolumn width='2in'/>" * 3
    return f"<table widthtype='fixedleft' refwidth='6in'>{columns}\n" + "\n".join(cells) + "</table>"


def _paragraph(definition: str, content: str) -> str:
    return f"<par def='{definition}'>{content}</par>"


def _run(text: str, font: str, style: str = "", size: str = "13pt") -> str:
    facts = {"size": size, **({"style": style} if style else {}), "name": font}
    start = element_start("font", {**facts, "pitch": "variable", "truetype": "true", "familyid": "20"})
    return f"<run>{start[:-1]}/>{escape(text)}</run>"


def _attachment(name: str) -> str:
    start = element_start("attachmentref", {"name": name, "displayname": name})
    return f"{start}<run>{escape(name)}</run></attachmentref>"
