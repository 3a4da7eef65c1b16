"""The markup that a DXL export is cut at, as patterns over bytes of its encoding."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from connectors.lotus_notes.encoding import Encoding

_Pattern = Callable[[str], bytes]

RECORDS = ("document", "note", "profiledocument")
"""Elements that hold a data note (``<note>`` only with ``class='document'``)."""


@dataclass(frozen=True, slots=True)
class Markup:
    """Patterns of one encoding and namespace prefix.

    Attributes:
        token: what matters between and inside records; its group says which (see ``KINDS``).
        start: the start of a record's start tag.
        tag: a start tag from ``<`` to ``>``, quotes respected; group 1 is the ``/`` of an empty element.
        root: the first start tag of a file.
        closers: what ends a comment, a CDATA section, a processing instruction, a quoted string. For a comment the
            next two hyphens, which may stand nowhere but at its end (XML 1.0, 2.5): group ``ends`` says if they do.
        cdata: the start of a CDATA section.
        doctype: the next structure character of a document type declaration.
        newline: a line feed.
    """

    token: re.Pattern[bytes]
    start: re.Pattern[bytes]
    tag: re.Pattern[bytes]
    root: re.Pattern[bytes]
    closers: dict[str, re.Pattern[bytes]]
    cdata: re.Pattern[bytes]
    doctype: re.Pattern[bytes]
    newline: bytes


KINDS = (
    "comment", "cdata", "instruction", "doctype", "opens", "closes", "container", "container_end", "file"
)  # fmt: skip
"""Names of the groups of ``Markup.token``."""


@lru_cache(maxsize=32)
def markup(encoding: Encoding, prefix: str = "") -> Markup:
    """The patterns for files of ``encoding`` with elements of ``prefix`` (``"dxl:"``; usually none)."""

    def lit(text: str) -> bytes:
        return re.escape(encoding.bytes_of(text))

    def any_of(letters: str) -> bytes:
        return b"(?:" + b"|".join(lit(letter) for letter in letters) + b")"

    def none_of(letters: str) -> bytes:
        return b"(?:(?!" + any_of(letters) + b")" + unit + b")" if encoding.width > 1 else _class(letters)

    unit = b"[\\x00-\\xff]" * encoding.width
    names = _names(lit, prefix)
    after = _after(any_of)
    quoted = lit('"') + none_of('"<') + b"*+" + lit('"') + b"|" + lit("'") + none_of("'<") + b"*+" + lit("'")
    # Possessive: a tag of megabytes must not leave a way back at each of its letters.
    inside = b"(?:" + none_of("'\"<>/") + b"++|" + lit("/") + b"(?!" + lit(">") + b")|" + quoted + b")*+"
    return Markup(
        token=_token(lit, any_of, prefix),
        start=re.compile(lit("<") + names + after),
        tag=re.compile(lit("<") + none_of("!?/<>'\" ") + inside + b"((?:" + lit("/") + b")?)" + lit(">")),
        root=re.compile(lit("<") + none_of("!?/<>'\" \t\r\n")),
        closers={
            "comment": re.compile(lit("--") + b"(?P<ends>" + lit(">") + b")?"),
            "cdata": re.compile(lit("]]>")),
            "instruction": re.compile(lit("?>")),
            '"': re.compile(lit('"')),
            "'": re.compile(lit("'")),
        },
        cdata=re.compile(lit("<![CDATA[")),
        doctype=re.compile(b"|".join([any_of("[]>\"'"), lit("<!--"), lit("<?")])),
        newline=encoding.bytes_of("\n"),
    )


def _class(letters: str) -> bytes:
    return b"[^" + b"".join(re.escape(letter.encode("ascii")) for letter in letters) + b"]"


def _names(lit: _Pattern, prefix: str) -> bytes:
    return b"(?:" + b"|".join(lit(prefix + name) for name in RECORDS) + b")"


def _after(any_of: _Pattern) -> bytes:
    """What ends an element's name."""
    return b"(?=" + any_of(" \t\r\n/>") + b")"


def _token(lit: _Pattern, any_of: _Pattern, prefix: str) -> re.Pattern[bytes]:
    names, after = _names(lit, prefix), _after(any_of)
    groups = (
        lit("!--"),
        lit("![CDATA["),
        lit("?"),
        lit("!DOCTYPE"),
        b"(?P<name>" + names + b")" + after,
        lit("/") + b"(?P<closed>" + names + b")" + any_of(" \t\r\n") + b"*" + lit(">"),
        lit(prefix + "database") + after,
        lit("/" + prefix + "database") + any_of(" \t\r\n") + b"*" + lit(">"),
        lit(prefix + "filedata") + after,
    )
    kinds = b"|".join(
        b"(?P<%s>%s)" % (kind.encode(), group) for kind, group in zip(KINDS, groups, strict=True)
    )
    # The common "<" stands before the alternatives, because then the search for it is one run through memory; and a
    # look at the next letters passes most elements without trying each alternative.
    ahead = [
        *(lit(letter) for letter in "!?"),
        *(lit(end + name) for end in ("", "/") for name in _stems(prefix)),
    ]
    return re.compile(lit("<") + b"(?=" + b"|".join(ahead) + b")(?:" + kinds + b")")


def _stems(prefix: str) -> list[str]:
    return [prefix + name for name in ("doc", "note", "prof", "datab", "filed")]
