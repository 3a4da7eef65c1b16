"""``lienthong gap``: why numbers of a series have no document here, as people explain it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

import typer

from archive.access_roles import Role
from archive.decisions import decide
from archive.known_gaps import gap_decision, known_gaps, withdrawal
from pipeline.access_accounts import open_for
from pipeline.commands.deciding import AsJson, By, Why, deciding
from pipeline.commands.output import Output
from pipeline.settings import load_settings


class Reason(StrEnum):
    """Why no document is here."""

    RESERVED = "reserved"
    CANCELLED = "cancelled"
    SECRET = "secret"  # noqa: S105 - a reason, no password
    PAPER = "paper"


_Series = Annotated[str, typer.Argument(help="Dãy số như `reconcile` ghi / a series as `reconcile` names it")]
_Span = Annotated[str, typer.Argument(help="Số, hoặc TỪ-ĐẾN / a number, or FROM-TO")]


def register(app: typer.Typer) -> None:
    """Add the subcommands to ``app``."""
    group = typer.Typer(
        invoke_without_command=True, help="Số trống đã có giải thích / gaps that people explained."
    )
    group.callback()(show)
    group.command("add", help="Giải thích số trống / explain a gap.")(add)
    group.command("remove", help="Rút lại giải thích / take an explanation back.")(remove)
    app.add_typer(group, name="gap")


def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Print what is explained."""
    if context.invoked_subcommand is not None:
        return
    output: Output = context.obj
    output.listing(
        known_gaps(open_for(load_settings(), Role.CLERK).engine),
        as_json,
        "table_known_gaps",
        ("series", "first", "last", "gap_reason", "by", "why"),
        lambda gap: (
            gap.series,
            gap.first,
            gap.last,
            output.words(f"gap_reason_{gap.reason}"),
            gap.by,
            gap.why,
        ),
    )


def add(
    context: typer.Context,
    series: _Series,
    numbers: _Span,
    reason: Annotated[Reason, typer.Option(help="giữ chỗ | hủy | mật | bản giấy")],
    why: Why,
    by: By = "",
) -> None:
    """Say why these numbers have no document here."""
    output: Output = context.obj
    first, last = _span(numbers)
    decision = gap_decision(series, first, last, reason=reason.value, **deciding(by, why))
    decide(open_for(load_settings(), Role.CLERK).engine, decision)
    output.line(f"{output.words('gap_added')}: {series} {first}-{last}")


def remove(context: typer.Context, series: _Series, numbers: _Span, why: Why, by: By = "") -> None:
    """Take back what was said of exactly these numbers."""
    output: Output = context.obj
    first, last = _span(numbers)
    decide(open_for(load_settings(), Role.CLERK).engine, withdrawal(series, first, last, **deciding(by, why)))
    output.line(f"{output.words('gap_removed')}: {series} {first}-{last}")


def _span(numbers: str) -> tuple[int, int]:
    match = re.fullmatch(r"\s*0*([0-9]{1,7})(?:\s*[-–]\s*0*([0-9]{1,7}))?\s*", numbers)
    if match is None:
        raise typer.BadParameter("12, 12-15", param_hint="NUMBERS")
    return int(match[1]), int(match[2] or match[1])
