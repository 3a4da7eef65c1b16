"""``lienthong link``: a person says that two records are, or are not, the same document."""

from __future__ import annotations

from typing import Annotated

import typer

from archive.access_roles import Role
from archive.decisions import decide
from archive.same_as import link_decision
from pipeline.access_accounts import open_for
from pipeline.commands.chosen import chosen_document
from pipeline.commands.deciding import By, Why, deciding
from pipeline.commands.output import Output
from pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("link", help="Xác nhận hoặc bỏ liên kết cùng văn bản / confirm or take back a same-as link.")(
        link
    )


def link(
    context: typer.Context,
    first: Annotated[str, typer.Argument(help="Văn bản thứ nhất / the first document")],
    second: Annotated[str, typer.Argument(help="Văn bản thứ hai / the second one")],
    why: Why,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Không phải cùng một văn bản / they are not the same")
    ] = False,
    by: By = "",
) -> None:
    """Confirm that two documents are the same, or take it back; nothing is merged."""
    output: Output = context.obj
    stores = open_for(load_settings(), Role.CLERK)
    documents = (chosen_document(stores.engine, first), chosen_document(stores.engine, second))
    state = "refused" if refuse else "confirmed"
    pair = (documents[0].document, documents[1].document)
    decide(stores.engine, link_decision(pair, state, **deciding(by, why)))
    titles = (document.current.symbol or document.source_key for document in documents)
    output.line(f"{output.words(f'link_{state}')}: {' = '.join(titles)}")
