"""The ``lienthong`` command.

Exit status: 0 done and in order; 1 the answer is "no" (a signature not passed, nothing found, a file unreadable, a
check failed); 2 wrong usage; 3 wrong configuration; 4 a run or the archive failed; 5 busy or away, try again.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands import (
    access,
    anchor,
    audit,
    backup,
    db,
    decode,
    doctor,
    dossier,
    gap,
    handover,
    index,
    inspect,
    keys,
    link,
    quarantine,
    rebuild,
    reconcile,
    registers,
    retention,
    reverify,
    search,
    show,
    status,
    sync,
    trust,
    verify,
)
from pipeline.commands.output import Output
from pipeline.quiet import keep_answers_apart, quiet_libraries
from pipeline.wording import LANGUAGES, Wording
from schemas.errors import ConfigurationError, LienthongError, RetriableError

EXIT_NO = 1
EXIT_CONFIGURATION = 3
EXIT_FAILED = 4
EXIT_RETRY = 5


def build() -> typer.Typer:
    """The command with all its subcommands."""
    app = typer.Typer(
        name="lienthong",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Đưa văn bản từ Lotus Notes và hệ điều hành tác nghiệp vào một kho lưu trữ chứng minh được.\n\n"
        "Carries official documents out of two systems into one provable archive.",
    )
    app.callback()(_options)
    for register in (
        sync.register,
        inspect.register,
        decode.register,
        verify.register,
        show.register,
        search.register,
        index.register,
        status.register,
        reverify.register,
        anchor.register,
        audit.register,
        rebuild.register,
        backup.register,
        trust.register,
        quarantine.register,
        link.register,
        access.register,
        registers.register,
        handover.register,
        keys.register,
        reconcile.register,
        gap.register,
        dossier.register,
        retention.register,
        doctor.register,
        db.register,
    ):
        register(app)
    return app


def _options(
    context: typer.Context,
    lang: Annotated[
        str,
        typer.Option(envvar="LIENTHONG_LANG", help=f"Ngôn ngữ / language: {' | '.join(LANGUAGES)}"),
    ] = "vi",
    home: Annotated[
        Path | None,
        typer.Option(envvar="LIENTHONG_HOME", help="Thư mục dữ liệu / data folder"),
    ] = None,
) -> None:
    if home is not None:
        os.environ["LIENTHONG_HOME"] = str(home.absolute())
    quiet_libraries()
    context.obj = Output(Wording(lang))


def main() -> None:
    """Entry point of the console script."""
    # A console of another encoding (LANG=C) must not turn Vietnamese output into an exception.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    keep_answers_apart()
    try:
        build()()
    except LienthongError as error:
        print(f"lienthong: {error}", file=sys.stderr)
        sys.exit(exit_status(error))


def exit_status(error: LienthongError) -> int:
    """The exit status for ``error``."""
    if isinstance(error, ConfigurationError):
        return EXIT_CONFIGURATION
    if isinstance(error, RetriableError):
        return EXIT_RETRY
    return EXIT_FAILED
