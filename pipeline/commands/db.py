"""``lienthong db``: the embedded PostgreSQL server."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from archive.database import DATABASE, URL_VARIABLE, embedded_server
from pipeline.commands.output import Output
from schemas.errors import ConfigurationError

JSON = Annotated[bool, typer.Option("--json", help="JSON")]


def register(app: typer.Typer) -> None:
    """Add the subcommands to ``app``."""
    group = typer.Typer(
        no_args_is_help=True, help="Máy chủ PostgreSQL kèm theo / the embedded PostgreSQL server."
    )
    group.command("start", help="Khởi động / start.")(start)
    group.command("stop", help="Dừng / stop.")(stop)
    group.command("status", help="Tình trạng / status.")(status)
    app.add_typer(group, name="db")


def start(context: typer.Context, as_json: JSON = False) -> None:
    """Start the server and make the archive's database; fine when both are there."""
    _refuse_foreign()
    server = embedded_server()
    server.start()
    server.ensure_database(DATABASE)
    status(context, as_json)


def stop(context: typer.Context, as_json: JSON = False) -> None:
    """Stop the server; fine when it is stopped."""
    _refuse_foreign()
    embedded_server().stop()
    if as_json:
        status(context, as_json)


def status(context: typer.Context, as_json: JSON = False) -> None:
    """Print what is known of the server; exit status 1 when it does not run."""
    output: Output = context.obj
    _refuse_foreign()
    found = embedded_server().status()
    if as_json:
        output.json(
            {
                name: str(value) if value is not None and not isinstance(value, bool | int) else value
                for name, value in asdict(found).items()
            }
        )
    else:
        output.table(
            "PostgreSQL", ("check", "detail"), [(name, value) for name, value in asdict(found).items()]
        )
    if not found.running and context.info_name != "stop":
        raise typer.Exit(1)


def _refuse_foreign() -> None:
    if os.environ.get(URL_VARIABLE, "").strip():
        raise ConfigurationError(
            "the archive is in a server of your own, which this command does not manage",
            where=URL_VARIABLE,
            action="unset it to use the embedded server",
        )
