"""Where a record lies in a drop folder, as the text that a ``Listing`` carries."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from connectors.lotus_notes.archives import Entries


@dataclass(frozen=True, slots=True)
class Locator:
    """A place in a drop folder.

    Attributes:
        file: name of the file below the folder.
        entries: ZIP entries down to the export (``archives.Entries``).
        start, end: the bytes ``[start, end)`` of the export; both -1 where the whole file is meant.
        root: byte offset of the root element's start tag; -1 without one.
        accessed: the bytes in it that say when it was last accessed, counted from ``start``; ``(0, 0)`` for none.
        reason, message, line: what is wrong with these bytes; ``reason`` is ``""`` for a record.
    """

    file: str
    entries: Entries = ()
    start: int = -1
    end: int = -1
    root: int = -1
    accessed: tuple[int, int] = (0, 0)
    reason: str = ""
    message: str = ""
    line: int = 0

    def __str__(self) -> str:
        """JSON, keys in the order above, defaults left out."""
        given = {key: value for key in _DEFAULTS if (value := getattr(self, key)) != _DEFAULTS[key]}
        return json.dumps(given, ensure_ascii=False, separators=(",", ":"))

    @property
    def place(self) -> str:
        """The export for a person: file and entries."""
        return "!".join([self.file, *(name for _, name in self.entries)])

    @property
    def where(self) -> str:
        """The exact place for a person."""
        parts = [self.place]
        if self.line:
            parts.append(f"line {self.line}")
        if self.start >= 0:
            parts.append(f"byte {self.start}")
        return ", ".join(parts)


def parse_locator(text: str) -> Locator:
    """The inverse of ``str(Locator)``. Raises ``ValueError`` for other text."""
    try:
        given = json.loads(text)
        entries = tuple((int(position), str(name)) for position, name in given.pop("entries", []))
        first, last = given.pop("accessed", (0, 0))
        return Locator(entries=entries, accessed=(int(first), int(last)), **given)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"no locator of a drop folder: {text[:200]}") from error


_DEFAULTS = {**{key: value for key, value in asdict(Locator("")).items() if key != "file"}, "file": None}
