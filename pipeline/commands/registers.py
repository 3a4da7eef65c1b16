"""``lienthong register``: the registers and lists that an office prints, signs and binds."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from archive.handover.leaving import Handover
from archive.handover.register_book import FORMATS, Printed
from archive.handover.register_entries import Period, Wanted
from archive.handover.register_forms import DOSSIER_DOCUMENTS, DOSSIERS, FORMS, Form
from archive.handover.registers import (
    Printing,
    hand_over_dossier_list,
    hand_over_dossiers_list,
    hand_over_register,
)
from archive.handover.selection import Store
from archive.holdings import DossierView
from archive.holdings import dossier as find_dossier
from pipeline.commands.handing_over import (
    MayLeave,
    Organ,
    Personal,
    listed_dossiers,
    may_leave,
    office,
    tell_left_out,
    who,
)
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from schemas.errors import ConfigurationError

_DAYS = ["%Y-%m-%d", "%d/%m/%Y"]


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("register", help="Lập sổ đăng ký, mục lục để in và ký / a register to print and sign.")(make)


def make(
    context: typer.Context,
    form: Annotated[str, typer.Argument(help=" | ".join(FORMS))],
    out: Annotated[Path, typer.Option(help="Thư mục mới / a new folder")],
    source: Annotated[str | None, typer.Option(help="Nguồn / source")] = None,
    year: Annotated[int | None, typer.Option(min=1900, max=9998, help="Năm / year")] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=_DAYS, help="Từ ngày / first day")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=_DAYS, help="Đến ngày / last day")] = None,
    document_type: Annotated[
        str | None, typer.Option("--type", help="Chỉ loại này, theo mã (KL, QĐ…)")
    ] = None,
    dossier: Annotated[str | None, typer.Option(help="Hồ sơ / dossier")] = None,
    fonds: Annotated[str | None, typer.Option(help="Phông / fonds")] = None,
    organ: Organ = None,
    formats: Annotated[list[str] | None, typer.Option("--format", help=" | ".join(FORMATS))] = None,
    personal: Personal = False,
    recalled: Annotated[
        bool,
        typer.Option("--recalled", help="Cả trích yếu của văn bản đã thu hồi / subjects of recalled ones"),
    ] = False,
    why: Annotated[str, typer.Option(help="Lý do / the reason")] = "",
    by: Annotated[str, typer.Option(help="Người lập / who makes it (mặc định: tài khoản)")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")] = False,
) -> None:
    """Write a register as spreadsheet and PDF into a new folder, with its event in the ledger."""
    output: Output = context.obj
    chosen = _form(form)
    kinds = _formats(formats)
    settings = load_settings()
    allowed = may_leave(settings, personal, recalled)
    stores = open_stores(settings)
    store = Store(stores.engine, stores.objects)

    def printing(*sources: str) -> Printing:
        holder = office(settings, organ, list(sources))
        return Printing(holder.name, datetime.now(UTC), out.absolute(), who(by, why), kinds)

    if chosen is DOSSIER_DOCUMENTS:
        found = _nameable(find_dossier(stores.engine, _needed(dossier, "--dossier")), allowed)
        listed = [part.source for part in found.documents]
        printed, handover = hand_over_dossier_list(
            store, found, allowed.classes, printing(found.source, *listed), whole=recalled
        )
    elif chosen is DOSSIERS:
        dossiers = listed_dossiers(stores.engine, fonds, source)
        what = f"Phông {fonds}" if fonds else (f"Nguồn {source}" if source else "Tất cả các phông")
        sources = [view.source for view in dossiers]
        printed, handover = hand_over_dossiers_list(
            store, dossiers, allowed.dossiers, what, printing(*sources)
        )
    else:
        named = _needed(source, "--source")
        wanted = Wanted(
            chosen, named, _period(year, first, last), document_type, tuple(sorted(allowed.classes)), recalled
        )
        printed, handover = hand_over_register(store, wanted, printing(named))
    _tell(output, chosen, printed, handover, out, as_json)


def _nameable(found: DossierView, allowed: MayLeave) -> DossierView:
    if found.id not in allowed.dossiers:
        raise ConfigurationError(
            "the dossier may not be read: nothing in it is of a class of access that this role may read",
            where=found.id,
            action="for personal documents work under the clerk's role: --personal",
        )
    return found


def _form(name: str) -> Form:
    if name not in FORMS:
        raise ConfigurationError(f"no register is called {name!r}", expected=" or ".join(FORMS))
    return FORMS[name]


def _formats(formats: list[str] | None) -> tuple[str, ...]:
    kinds = tuple(formats or FORMATS)
    if unknown := sorted(set(kinds) - set(FORMATS)):
        raise ConfigurationError(f"no format is called {unknown[0]!r}", expected=" or ".join(FORMATS))
    return kinds


def _needed(value: str | None, option: str) -> str:
    if not value:
        raise ConfigurationError(f"{option} is missing", expected=f"{option} with this register")
    return value


def _period(year: int | None, first: datetime | None, last: datetime | None) -> Period:
    if year is not None and first is None and last is None:
        return Period.of_year(year)
    if year is None and first is not None and last is not None and first <= last:
        return Period(first.date(), last.date())
    raise ConfigurationError(
        "the register's time is not given", expected="--year, or --from and --to in order"
    )


def _tell(output: Output, form: Form, printed: Printed, handover: Handover, out: Path, as_json: bool) -> None:
    if as_json:
        told = {
            "register": form.name,
            "entries": printed.entries,
            "selected": handover.selected,
            "left_out": dict(handover.left_out),
            "files": [asdict(item) for item in handover.items],
            "cut": printed.cut,
            "unknown_letters": printed.unknown_letters,
        }
        output.json(told)
        return
    output.line(output.words("register_written", title=form.title, entries=printed.entries))
    tell_left_out(output, handover)
    if printed.cut:
        output.line(output.words("register_cut", count=printed.cut))
    if printed.unknown_letters:
        output.line(output.words("register_unknown", count=printed.unknown_letters))
    output.line(output.words("written_to", path=out))
