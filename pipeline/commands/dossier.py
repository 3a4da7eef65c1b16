"""``lienthong dossier``: dossiers and fonds, and what people change about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated

import sqlalchemy as sa
import typer

from archive.access_roles import Role
from archive.canonical import Json
from archive.decision import Decision
from archive.decisions import decide
from archive.dossier_decisions import DOSSIER_FIELDS
from archive.dossiers import refresh
from archive.holdings import DossierView, dossier, dossier_list, fonds_list, has_dossier, organ_list
from archive.identities import fonds_id, made_dossier_id
from mappings.notation import System
from mappings.vietnamese import fold
from pipeline.access_accounts import open_for
from pipeline.commands.chosen import chosen_document
from pipeline.commands.deciding import AsJson, By, Deciding, Why, chosen_day, deciding
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from schemas.errors import ConfigurationError

_What = Annotated[
    str, typer.Argument(help="Mã, tiêu đề hoặc định danh hồ sơ / a dossier's code, title or identity")
]
_Document = Annotated[str, typer.Argument(help="Văn bản / a document")]
_LISTS = ("keywords",)
_WHOLE = ("paper_count", "page_count")
_FLAGS = {
    "co": True,
    "yes": True,
    "true": True,
    "1": True,
    "khong": False,
    "no": False,
    "false": False,
    "0": False,
}
_COLUMNS = ("fonds_code", "code", "title", "term", "retention", "start_date", "end_date", "document_count")


def register(app: typer.Typer) -> None:
    """Add the subcommands to ``app``."""
    group = typer.Typer(invoke_without_command=True, help="Hồ sơ và phông / dossiers and fonds.")
    group.callback()(show_list)
    group.command("show", help="Một hồ sơ với văn bản theo thứ tự / a dossier with its documents.")(show)
    group.command("make", help="Lập hồ sơ / make a dossier.")(make)
    group.command("set", help="Ghi thông tin của hồ sơ / describe a dossier.")(set_fields)
    group.command("put", help="Đưa văn bản vào hồ sơ / put a document into it.")(put)
    group.command("take-out", help="Bỏ văn bản khỏi hồ sơ / take a document out of it.")(take_out)
    group.command("fonds", help="Phông lưu trữ: xem, lập, sửa / list, make or change fonds.")(fonds)
    group.command("organ", help="Cơ quan theo thời gian: xem, ghi / list organs over time, or enter one.")(
        organ
    )
    group.command("refresh", help="Lập lại hồ sơ theo văn bản / make the dossiers of what records say.")(
        refresh_all
    )
    app.add_typer(group, name="dossier")


def show_list(
    context: typer.Context,
    fonds: Annotated[str | None, typer.Option(help="Chỉ phông này / this fonds only")] = None,
    source: Annotated[str | None, typer.Option(help="Chỉ nguồn này / this source only")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Nhiều nhất / at most")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Print the dossiers."""
    if context.invoked_subcommand is not None:
        return
    output: Output = context.obj
    found = dossier_list(
        open_for(load_settings(), Role.CLERK).engine, fonds=fonds, source=source, limit=limit
    )
    output.listing(found, as_json, "dossiers_title", _COLUMNS, _cells(_COLUMNS))


def show(context: typer.Context, what: _What, as_json: AsJson = False) -> None:
    """Print a dossier with its documents in order."""
    output: Output = context.obj
    view = dossier(open_for(load_settings(), Role.CLERK).engine, what)
    if as_json:
        output.json(asdict(view))
        return
    for name in ("id", *_COLUMNS, *(name for name in DOSSIER_FIELDS if name not in _COLUMNS)):
        value = getattr(view, name, None)
        if value not in (None, (), ""):
            output.line(f"{output.words(name)}: {_cell(value)}")
    columns = ("ordinal", "symbol", "issued_date", "type_name", "subject", "page_count", "source")
    rows = [
        [
            output.words("disposed") if name == "subject" and entry.disposed else _cell(getattr(entry, name))
            for name in columns
        ]
        for entry in view.documents
    ]
    output.table(output.words("documents"), columns, rows)


def make(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="Mã hồ sơ, đơn vị bảo quản / the dossier's code")],
    title: Annotated[str, typer.Option(help="Tiêu đề / title")],
    fonds: Annotated[str, typer.Option(help="Mã phông / fonds")],
    why: Why,
    catalogue: Annotated[str, typer.Option(help="Mục lục / catalogue")] = "",
    by: By = "",
) -> None:
    """Make a dossier that no record names."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    fonds_identity = _known_fonds(engine, fonds)
    identity = str(made_dossier_id(fonds, catalogue, code))
    if has_dossier(engine, identity):
        raise ConfigurationError(f"the fonds {fonds!r} has a dossier {code!r} already", where=identity)
    fields: dict[str, Json] = {"code": code, "title": title, "fonds_id": fonds_identity}
    if catalogue:
        fields["catalogue"] = catalogue
    decide(
        engine, Decision("dossier", identity, values={"origin": "person", "set": fields}, **deciding(by, why))
    )
    output.line(f"{output.words('dossier_made')}: {code} ({identity})")


def set_fields(
    context: typer.Context,
    what: _What,
    fields: Annotated[list[str], typer.Argument(help="field=value …; để trống là xóa / empty clears it")],
    why: Why,
    by: By = "",
) -> None:
    """Describe a dossier; what a person says stays whatever records say."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    view = dossier(engine, what)
    values: dict[str, Json] = {"origin": view.origin, "set": _fields(engine, fields)}
    decide(engine, Decision("dossier", view.id, values=values, source=view.source, **deciding(by, why)))
    output.line(f"{output.words('dossier_set')}: {view.code or view.title}")


def put(
    context: typer.Context,
    what: _What,
    document: _Document,
    why: Why,
    position: Annotated[int | None, typer.Option(min=1, help="Số thứ tự / place in it")] = None,
    by: By = "",
) -> None:
    """Put a document into a dossier, or give it a place there; it stays in the others."""
    _place(context, what, document, deciding(by, why), "in", position)


def take_out(context: typer.Context, what: _What, document: _Document, why: Why, by: By = "") -> None:
    """Take a document out of a dossier; the document stays in the archive."""
    _place(context, what, document, deciding(by, why), "out", None)


def fonds(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(help="Mã phông / code")] = None,
    name: Annotated[str, typer.Option(help="Tên phông / name")] = "",
    organ: Annotated[str | None, typer.Option(help="Mã cơ quan hình thành phông / the organ's code")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Từ ngày / first day, YYYY-MM-DD")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Đến ngày / last day")] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Hồ sơ của nguồn này thuộc phông / its dossiers")
    ] = None,
    note: Annotated[str | None, typer.Option(help="Ghi chú / note")] = None,
    why: Annotated[str, typer.Option(help="Lý do / the reason")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """List the fonds, or make or change one."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    if code is None:
        columns = ("code", "name", "organ_code", "valid_from", "valid_to", "dossiers")
        output.listing(fonds_list(engine), as_json, "fonds_title", columns, _cells(columns))
        return
    if not name:
        raise typer.BadParameter("--name", param_hint="--name")
    values: dict[str, Json] = {
        "code": code,
        "name": name,
        "organ_code": organ,
        "valid_from": _day(since),
        "valid_to": _day(until),
        "sources": list(source or ()),
        "note": note,
    }
    decide(engine, Decision("fonds", code, values=values, **deciding(by, why)))
    refresh(open_stores(load_settings()).engine)
    output.line(f"{output.words('fonds_set')}: {code}")


def organ(
    context: typer.Context,
    code: Annotated[
        str | None, typer.Argument(help="Mã định danh, hoặc chữ của ký hiệu / code or letters")
    ] = None,
    name: Annotated[str, typer.Option(help="Tên cơ quan / name")] = "",
    system: Annotated[System, typer.Option(help="Đảng hoặc Nhà nước / Party or State")] = System.PARTY,
    since: Annotated[str | None, typer.Option("--from", help="Từ ngày / first day, YYYY-MM-DD")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Đến ngày / last day")] = None,
    successor: Annotated[str | None, typer.Option(help="Mã cơ quan kế thừa / who carries on")] = None,
    former: Annotated[list[str] | None, typer.Option(help="Mã cũ của chính cơ quan / a former code")] = None,
    why: Annotated[str, typer.Option(help="Văn bản căn cứ / which text says so")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """List the organs with their spans of time, or enter one that the vocabulary lacks or has otherwise."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    if code is None:
        columns = ("code", "name", "valid_from", "valid_to", "successor", "basis")
        output.listing(organ_list(engine), as_json, "organs_title", columns, _cells(columns))
        return
    if not name:
        raise typer.BadParameter("--name", param_hint="--name")
    values: dict[str, Json] = {
        "code": code,
        "name": name,
        "system": system.value,
        "valid_from": _day(since),
        "valid_to": _day(until),
        "successor": successor,
        "former_codes": list(former or ()),
    }
    decide(engine, Decision("organ", code, values=values, **deciding(by, why)))
    output.line(f"{output.words('organ_set')}: {code} {name}")


def refresh_all(context: typer.Context, as_json: AsJson = False) -> None:
    """Make dossiers and their documents what the current versions say; what people decided stays."""
    output: Output = context.obj
    settings = load_settings()
    open_for(settings, Role.CLERK).engine.dispose()  # a clerk's work, which the loader's role then does
    changed = refresh(open_stores(settings).engine)
    if as_json:
        output.json(asdict(changed))
        return
    output.line(
        output.words("dossiers_refreshed", dossiers=changed.dossiers, memberships=changed.memberships)
    )


def _place(
    context: typer.Context,
    what: str,
    document: str,
    person: Deciding,
    state: str,
    position: int | None,
) -> None:
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    view: DossierView = dossier(engine, what)
    chosen = chosen_document(engine, document)
    values: dict[str, Json] = {
        "origin": view.origin,
        "document": chosen.document,
        "state": state,
        "position": position,
    }
    decide(engine, Decision("dossier_document", view.id, values=values, source=view.source, **person))
    refresh(open_stores(load_settings()).engine)
    output.line(f"{output.words(f'dossier_{state}')}: {chosen.current.symbol or chosen.source_key}")


def _known_fonds(engine: sa.Engine, code: str) -> str:
    """Identity of the fonds ``code``."""
    identity = str(fonds_id(code))
    if identity not in {view.id for view in fonds_list(engine)}:
        raise ConfigurationError(
            f"there is no fonds {code!r}", action="make it first: lienthong dossier fonds CODE --name …"
        )
    return identity


def _fields(engine: sa.Engine, given: list[str]) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip()
        if name == "fonds":
            fields["fonds_id"] = _known_fonds(engine, value) if value else None
        elif not equals or name not in DOSSIER_FIELDS:
            raise ConfigurationError(
                f"{pair!r} sets no field of a dossier",
                expected=f"field=value with one of: fonds, {', '.join(DOSSIER_FIELDS)}",
            )
        else:
            fields[name] = _value(name, value)
    return fields


def _value(name: str, value: str) -> Json:
    if name in _LISTS:
        return [part.strip() for part in value.split(";") if part.strip()]
    if not value:
        return None
    if name.endswith("_date"):
        return _day(value)
    if name in _WHOLE:
        if not value.isdecimal():
            raise ConfigurationError(f"{name} is a number", where=value)
        return int(value)
    return _flag(name, value) if name == "risk_recovery" else value


def _flag(name: str, value: str) -> bool:
    word = fold(value)
    if word not in _FLAGS:
        raise ConfigurationError(f"{name} is yes or no", where=value, expected=" or ".join(_FLAGS))
    return _FLAGS[word]


def _day(text: str | None) -> str | None:
    day = chosen_day(text)
    return day.isoformat() if day else None


def _cells(columns: Sequence[str]) -> Callable[[object], list[object]]:
    return lambda view: [_cell(getattr(view, column)) for column in columns]


def _cell(value: object) -> object:
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return "; ".join(map(str, value)) if isinstance(value, tuple) else value
