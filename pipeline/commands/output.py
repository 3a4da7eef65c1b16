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
        """Print a table; columns are keys of the wording, cells are printed as they are."""
        table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for column in columns:
            table.add_column(
                self.words(column),
                overflow="fold",
                no_wrap=column in _WHOLE,
                justify=_JUSTIFY.get(column, "left"),
            )
        for row in rows:
            table.add_row(*(Text(self.cell(value)) for value in row))
        self.console.print(table)

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
