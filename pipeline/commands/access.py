"""``lienthong access``: which class of access a document is of, and a person's decision on it."""

from __future__ import annotations

from typing import Annotated

import typer

from archive.access import access_decision, access_of
from archive.access_roles import Role
from archive.decisions import decide
from archive.views import DocumentView
from pipeline.access_accounts import open_for, open_for_reading
from pipeline.commands.chosen import chosen_document
from pipeline.commands.deciding import AsJson, By, Why, deciding
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import Stores
from schemas.access import AccessClass
from schemas.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("access", help="Xem, đổi chế độ sử dụng; niêm phong / show or set who may read; seal.")(
        access
    )


def access(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="Văn bản / the document")],
    chosen: Annotated[
        AccessClass | None, typer.Option("--set", help="Chế độ mới / the new class (sealed: niêm phong)")
    ] = None,
    why: Why = "",
    by: By = "",
    same: Annotated[
        bool,
        typer.Option("--same", help="Cả cùng văn bản ở nguồn khác / also the same document in other sources"),
    ] = False,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Tìm cả trong niêm phong (người giữ kho) / among sealed ones too")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the class of a document, or set it: the decision and its reason stay in the ledger."""
    output: Output = context.obj
    settings = load_settings()
    if sealed:
        stores = open_for(settings, Role.OWNER)
    else:
        stores = open_for_reading(settings) if chosen is None else open_for(settings, Role.CLERK)
    document = chosen_document(stores.engine, what)
    # Looked up before: whoever seals a document may not see it a moment later.
    others = _twins(stores, document)
    if chosen is not None:
        if not why.strip():
            raise ConfigurationError("the decision has no reason", expected="--why, in words")
        for each in (document, *(others if same else ())):
            seen = max(version.version for version in each.versions)
            decide(
                stores.engine,
                access_decision(each.document, chosen, seen, source=each.source, **deciding(by, why)),
            )
    _print(output, stores, document, chosen, () if same else others, as_json=as_json)


def _twins(stores: Stores, document: DocumentView) -> tuple[DocumentView, ...]:
    """The same document in other sources, but for suggestions and what a person refused."""
    return tuple(
        chosen_document(stores.engine, link.document)
        for link in document.same_as
        if link.state == "confirmed" or (link.state == "found" and link.grade in ("A", "B"))
    )


def _print(
    output: Output,
    stores: Stores,
    document: DocumentView,
    chosen: AccessClass | None,
    others: tuple[DocumentView, ...],
    *,
    as_json: bool,
) -> None:
    found = access_of(stores.engine, document.document)
    now = found.access if found else chosen
    title = document.current.symbol or document.source_key
    if as_json:
        output.json(
            {
                "document": document.document,
                "access": now,
                "decided": found.decided if found else chosen,
                "same": [other.document for other in others],
            }
        )
        return
    decided = chosen or (found.decided if found else None)
    head = f"{output.words('access_set')}: " if chosen else ""
    output.line(
        f"{head}{title} · {output.words(f'access_{now}')}"
        f" ({output.words('access_decided' if decided else 'access_stated')})"
    )
    if chosen is not None and now is not chosen:
        output.line(output.words("access_stricter", access=output.words(f"access_{now}")))
    if chosen is not None and others:
        output.line(output.words("access_twins"), style="bold")
        for other in others:
            output.line(f"  {other.source} · {other.source_key} · {other.document}")
