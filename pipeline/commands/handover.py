"""``lienthong handover``: packages for the next archive, the Party's spreadsheet, bags."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from archive.handover.containers import CONTAINERS
from archive.handover.leaving import Handover
from archive.handover.packages import PAYLOADS, Asked, hand_over_bag, hand_over_hsltcq, hand_over_sips
from archive.handover.selection import Store
from pipeline.commands.chosen import chosen_document
from pipeline.commands.handing_over import (
    Organ,
    Personal,
    chosen_dossiers,
    may_leave,
    office,
    tell_left_out,
    who,
)
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from schemas.errors import ConfigurationError

KINDS = ("sip", "hsltcq", "bag")


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("handover", help="Giao nộp hồ sơ, tài liệu theo gói / hand dossiers and documents over.")(
        hand_over
    )


def hand_over(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help=" | ".join(KINDS))],
    out: Annotated[Path, typer.Option(help="Thư mục mới / a new folder")],
    why: Annotated[str, typer.Option(help="Lý do / the reason")],
    documents: Annotated[list[str] | None, typer.Argument(help="Văn bản / documents")] = None,
    dossier: Annotated[list[str] | None, typer.Option(help="Hồ sơ / a dossier (lặp được)")] = None,
    fonds: Annotated[str | None, typer.Option(help="Mọi hồ sơ của phông / all dossiers of a fonds")] = None,
    container: Annotated[str, typer.Option("--as", help=f"sip: {' | '.join(CONTAINERS)}")] = "folder",
    payload: Annotated[str, typer.Option(help=f"bag: {' | '.join(PAYLOADS)}")] = "sip",
    organ: Organ = None,
    personal: Personal = False,
    recalled: Annotated[
        bool, typer.Option("--recalled", help="Cả văn bản đã thu hồi / recalled documents too")
    ] = False,
    by: Annotated[str, typer.Option(help="Người giao / who hands over (mặc định: tài khoản)")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")] = False,
) -> None:
    """Write what may leave into a new folder, checked, with its events in the ledger."""
    output: Output = context.obj
    _one_of(kind, KINDS, "kind")
    _one_of(container, CONTAINERS, "--as")
    _one_of(payload, PAYLOADS, "--payload")
    if not why.strip():
        raise ConfigurationError("nothing leaves without a reason", expected="--why in words")
    settings = load_settings()
    readable = may_leave(settings, personal, recalled).classes
    stores = open_stores(settings)
    views = [chosen_document(stores.engine, what) for what in documents or ()]
    dossiers = chosen_dossiers(stores.engine, dossier or [], fonds)
    sources = [view.source for view in views]
    sources += [part.source for found in dossiers for part in found.documents]
    asked = Asked(
        documents=[view.document for view in views],
        dossiers=dossiers,
        readable=readable,
        holder=office(settings, organ, sources),
        recalled=recalled,
    )
    store, target, person = Store(stores.engine, stores.objects), out.absolute(), who(by, why)
    if kind == "sip":
        handover = hand_over_sips(store, asked, target, container, person)
    elif kind == "bag":
        handover = hand_over_bag(store, asked, target, payload, person)
    else:
        handover = hand_over_hsltcq(store, asked, target, person)
    _tell(output, handover, out, as_json)


def _one_of(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise ConfigurationError(f"{what} cannot be {value!r}", expected=" or ".join(known))


def _tell(output: Output, handover: Handover, out: Path, as_json: bool) -> None:
    if as_json:
        told = asdict(handover)
        output.json({**told, "left_out": dict(handover.left_out), "notices": dict(handover.notices)})
        return
    counts = {
        "out": handover.handed_over,
        "selected": handover.selected,
        "items": len(handover.items),
    }
    output.line(output.words("handed_over", **counts))
    tell_left_out(output, handover)
    output.line(output.words("written_to", path=out))
