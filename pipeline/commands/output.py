"""How the subcommands print: tables for people on a terminal, JSON lines for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeVar
from zoneinfo import ZoneInfo

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from pipeline.window import LOCAL_ZONE
from pipeline.wording import Wording

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Listed = TypeVar("Listed", bound="DataclassInstance")
_FEW = 4
"""Columns of which a terminal always shows enough."""
_WHOLE = ("source", "started")
_COUNTS = ("listed", "archived", "unchanged", "quarantined", "withheld", "pending", "count")
_JUSTIFY: Mapping[str, Literal["right"]] = MappingProxyType(dict.fromkeys(_COUNTS, "right"))


class Output:
    """Where the subcommands print, in one language."""

    def __init__(self, words: Wording) -> None:
        self.words = words
        self.console = Console(highlight=False, soft_wrap=False)
        # Progress goes to standard error, so that standard output stays a program's.
        self._progress_console = Console(stderr=True)

    def json(self, value: object) -> None:
        """Print ``value`` as one JSON line."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()

    def line(self, text: str = "", style: str = "") -> None:
        """Print a line as it is; nothing in it is read as markup."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table; columns are keys of the wording, cells are printed as they are.

        One that only fits the terminal with its words cut in pieces is printed row by row, a line for each cell.
        """
        cells = [[Text(self.cell(value)) for value in row] for row in rows]
        labels = [self.words(column) for column in columns]
        texts = list(zip(labels, *([cell.plain for cell in row] for row in cells), strict=True))
        whole = [_widest(text, str.splitlines) for text in texts]
        words = [
            width if column in _WHOLE else _widest(text, str.split)
            for column, width, text in zip(columns, whole, texts, strict=True)
        ]
        # Two blanks and a line for each column, and a line at the end.
        spare = self.console.width - 3 * len(columns) - 1 - sum(words)
        if len(columns) > _FEW and spare < 0:
            self._one_by_one(title, labels, cells)
            return
        table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        widths = _shared_out(spare, words, whole) if len(columns) > _FEW else [None] * len(columns)
        for column, label, width in zip(columns, labels, widths, strict=True):
            table.add_column(
                label,
                overflow="fold",
                no_wrap=column in _WHOLE,
                justify=_JUSTIFY.get(column, "left"),
                width=width,
            )
        for row in cells:
            table.add_row(*row)
        self.console.print(table)

    def _one_by_one(self, title: str, labels: Sequence[str], rows: Iterable[Sequence[Text]]) -> None:
        self.line(title, style="bold")
        for row in rows:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(no_wrap=True, style="dim")
            grid.add_column(overflow="fold")
            for label, cell in zip(labels, row, strict=True):
                if cell.plain:
                    grid.add_row(label, cell)
            self.line()
            self.console.print(grid)

    def listing(
        self,
        found: Iterable[Listed],
        as_json: bool,
        title: str,
        columns: Sequence[str],
        row: Callable[[Listed], Sequence[object]],
    ) -> None:
        """Print ``found``: whole, as JSON lines, or as a table of what ``row`` shows; ``title`` is a word's key."""
        if as_json:
            for item in found:
                self.json(asdict(item))
            return
        self.table(self.words(title), columns, map(row, found))

    def cell(self, value: object) -> str:
        """``value`` as a person reads it."""
        if value is None:
            return ""
        if isinstance(value, datetime):
            return value.astimezone(ZoneInfo(LOCAL_ZONE)).strftime("%d/%m/%Y %H:%M")
        return str(value)

    @contextmanager
    def progress(self, quiet: bool) -> Iterator[Progress]:
        """A progress bar on standard error; nothing is drawn when ``quiet`` or when nobody looks."""
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._progress_console,
            disable=quiet or not self._progress_console.is_terminal,
            transient=True,
        ) as bar:
            yield bar


def _widest(texts: Iterable[str], split: Callable[[str], Iterable[str]]) -> int:
    """Terminal columns that the widest piece takes."""
    return max((cell_len(piece) for text in texts for piece in split(text)), default=0)


def _shared_out(spare: int, least: Sequence[int], most: Sequence[int]) -> list[int | None]:
    """The columns' widths: as wide as they need, or what is spare shared out by what each lacks."""
    lacking = sum(most) - sum(least)
    if lacking <= spare:
        return list(most)
    return [low + spare * (high - low) // lacking for low, high in zip(least, most, strict=True)]
