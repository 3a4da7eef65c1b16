"""``lienthong retention``: what is due, what is held, and disposal by two persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import typer

from archive.access_roles import Role
from archive.canonical import Json
from archive.decision import Decision
from archive.decisions import decide
from archive.disposal import disposals, execution_decision, open_documents, request_decision
from archive.disposal_removal import remove_objects
from archive.holdings import dossier
from archive.legal_holds import holds
from archive.retention import due_list, kept
from pipeline.access_accounts import open_for
from pipeline.commands.chosen import chosen_document
from pipeline.commands.deciding import AsJson, By, Why, chosen_day, deciding
from pipeline.commands.output import Output
from pipeline.listed_classes import listed_classes
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from pipeline.window import LOCAL_ZONE
from schemas.errors import ConfigurationError

_IsDossier = Annotated[bool, typer.Option("--dossier", help="WHAT là hồ sơ / WHAT is a dossier")]
_Disposal = Annotated[
    str, typer.Argument(help="Định danh, hoặc 8 ký tự đầu / its identity, or 8 characters of it")
]
_What = Annotated[str, typer.Argument(help="Văn bản hoặc hồ sơ / a document or dossier")]


def register(app: typer.Typer) -> None:
    """Add the subcommands to ``app``."""
    group = typer.Typer(
        no_args_is_help=True, help="Thời hạn bảo quản, tạm dừng, tiêu hủy / retention and disposal."
    )
    for name, command, words in (
        ("due", due, "Hết thời hạn bảo quản / what is due"),
        ("of", of, "Thời hạn của một văn bản và vì sao / how long a document is kept, and why"),
        ("set", set_period, "Định thời hạn cho một văn bản / say how long one is kept"),
        ("rule", rule, "Quy tắc của cơ quan theo tên loại / the office's rule for a type"),
        ("holds", show_holds, "Đang tạm dừng tiêu hủy / the legal holds"),
        ("hold", hold, "Tạm dừng tiêu hủy theo vụ việc / hold for a case"),
        ("release", release, "Hết tạm dừng / release what a case holds"),
        ("list", show_disposals, "Các đề nghị tiêu hủy / the disposals"),
        ("request", request, "Đề nghị tiêu hủy / ask for a disposal"),
        ("approve", approve, "Duyệt, do người thứ hai / approve, as a second person"),
        ("refuse", refuse, "Không duyệt, hoặc rút lại / refuse, or take back"),
        ("carry-out", carry_out, "Tiêu hủy đã duyệt / destroy what is approved"),
    ):
        group.command(name, help=f"{words}.")(command)
    app.add_typer(group, name="retention")


def due(
    context: typer.Context,
    on: Annotated[str | None, typer.Option(help="Tính đến ngày / on this day, YYYY-MM-DD")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the dossiers and documents whose retention period has ended; nothing is destroyed by that."""
    output: Output = context.obj
    day = chosen_day(on) or datetime.now(ZoneInfo(LOCAL_ZONE)).date()
    found = due_list(open_stores(load_settings()).engine, day, listed_classes())
    output.listing(
        found,
        as_json,
        "due_title",
        (
            "kind",
            "reference",
            "title",
            "count",
            "retention",
            "ended",
            "due_on",
            "cases",
            "disposal",
            "basis",
        ),
        lambda item: (
            output.words(f"{item.kind}_word"),
            item.reference,
            item.title,
            item.documents,
            item.retention,
            _shown(item.ended),
            _shown(item.due_on),
            "; ".join(item.cases),
            output.words(f"disposal_{item.disposal}") if item.disposal else "",
            item.basis,
        ),
    )


def of(context: typer.Context, what: _What, as_json: AsJson = False) -> None:
    """Print how long a document is kept, who says so, and when it is due."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    (found,) = kept(engine, [chosen_document(engine, what).document])
    if as_json:
        output.json(asdict(found))
        return
    output.line(f"{output.words('retention')}: {found.retention}")
    if found.said_by:
        output.line(f"{output.words('basis')}: {output.words(f'said_by_{found.said_by}')} ({found.basis})")
    if found.ended:
        output.line(
            f"{output.words('ended')}: {_shown(found.ended)} ({output.words(f'ended_by_{found.ended_by}')})"
        )
    output.line(f"{output.words('due_on')}: {_shown(found.due_on) or output.words('never_due')}")


def set_period(
    context: typer.Context,
    what: _What,
    period: Annotated[str, typer.Argument(help="Vĩnh viễn, 20 năm …")],
    why: Why,
    by: By = "",
) -> None:
    """Say how long one document is kept, instead of what its records say; a longer dossier still wins."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    document = chosen_document(engine, what)
    decision = Decision(
        "retention",
        document.document,
        values={"retention": period},
        source=document.source,
        **deciding(by, why),
    )
    decide(engine, decision)
    output.line(
        f"{output.words('retention_set')}: {document.current.symbol or document.source_key}: {period}"
    )


def rule(
    context: typer.Context,
    type_code: Annotated[str, typer.Argument(help="Mã tên loại: BC, KH … / a type's code")],
    period: Annotated[str, typer.Argument(help="Vĩnh viễn, 20 năm …")],
    basis: Annotated[str, typer.Option(help="Bảng thời hạn nào, mục nào / which schedule, which row")],
    why: Why,
    source: Annotated[str, typer.Option(help="Chỉ nguồn này / this source only")] = "",
    by: By = "",
) -> None:
    """Enter a row of the office's retention schedule: it counts where records and dossiers say nothing."""
    output: Output = context.obj
    values: dict[str, Json] = {"type_code": type_code, "retention": period, "basis": basis}
    decide(
        open_for(load_settings(), Role.CLERK).engine,
        Decision("retention_rule", type_code, values=values, source=source, **deciding(by, why)),
    )
    output.line(f"{output.words('rule_set')}: {type_code}: {period}")


def show_holds(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Cả đã hết / released ones too")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the legal holds by case."""
    output: Output = context.obj
    found = holds(open_for(load_settings(), Role.CLERK).engine, released=every)
    output.listing(
        found,
        as_json,
        "holds_title",
        ("case", "kind", "reference", "held_from", "by", "why", "released_at", "released_by"),
        lambda item: (
            item.case,
            output.words(f"{item.kind}_word"),
            item.reference,
            _shown(item.held_from),
            item.placed_by,
            item.placed_why,
            item.released_at,
            item.released_by,
        ),
    )


def hold(
    context: typer.Context,
    what: _What,
    case: Annotated[str, typer.Option(help="Vụ việc / the case")],
    why: Why,
    is_dossier: _IsDossier = False,
    since: Annotated[str | None, typer.Option("--from", help="Từ ngày / since, YYYY-MM-DD")] = None,
    by: By = "",
) -> None:
    """Keep a document or a whole dossier from being destroyed while the case lasts."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    day = chosen_day(since)
    values: dict[str, Json] = {
        "case": case,
        "kind": "dossier" if is_dossier else "document",
        "from": day.isoformat() if day else None,
    }
    decide(engine, Decision("hold", _identity(engine, what, is_dossier), values=values, **deciding(by, why)))
    output.line(f"{output.words('hold_placed')}: {case}: {what}")


def release(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Vụ việc / the case")],
    why: Why,
    what: Annotated[
        str | None, typer.Option("--on", help="Chỉ văn bản hoặc hồ sơ này / on this only")
    ] = None,
    is_dossier: _IsDossier = False,
    by: By = "",
) -> None:
    """Release what a case holds; other cases hold on."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    on = _identity(engine, what, is_dossier) if what else None
    decide(engine, Decision("release_hold", case, values={"case": case, "on": on}, **deciding(by, why)))
    output.line(f"{output.words('hold_released')}: {case}")


def show_disposals(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the disposals, the newest first."""
    output: Output = context.obj
    found = disposals(open_for(load_settings(), Role.CLERK).engine)
    output.listing(
        found,
        as_json,
        "disposals_title",
        (
            "id",
            "state",
            "title",
            "count",
            "carried_out",
            "requested_by",
            "requested_at",
            "decided_by",
            "why",
        ),
        lambda item: (
            item.id[:8],
            output.words(f"disposal_{item.state}"),
            item.title,
            item.documents,
            item.carried_out,
            item.requested_by,
            item.requested_at,
            item.decided_by,
            item.decided_why or item.requested_why,
        ),
    )


def request(
    context: typer.Context,
    what: Annotated[
        list[str], typer.Argument(help="Văn bản, hoặc hồ sơ với --dossier / documents, or dossiers")
    ],
    why: Why,
    is_dossier: _IsDossier = False,
    title: Annotated[str, typer.Option(help="Tên của đề nghị / a name for it")] = "",
    by: By = "",
) -> None:
    """Ask for the disposal of what is due; another person, under another account, has to approve it."""
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    at = datetime.now(UTC)
    decision = request_decision(
        engine,
        _documents(engine, what, is_dossier),
        title or "; ".join(what),
        at=at,
        **deciding(by, why, engine),
    )
    decide(engine, decision, at)
    output.line(f"{output.words('disposal_requested')}: {decision.object}")


def approve(context: typer.Context, disposal: _Disposal, why: Why, by: By = "") -> None:
    """Approve what another person asked for; nothing is destroyed yet."""
    _decide(context, disposal, "disposal_approval", "disposal_approved", by, why)


def refuse(context: typer.Context, disposal: _Disposal, why: Why, by: By = "") -> None:
    """Refuse a disposal, or take back a request or an approval of which nothing is carried out."""
    _decide(context, disposal, "disposal_refusal", "disposal_refused", by, why)


def carry_out(
    context: typer.Context,
    why: Why,
    disposal: Annotated[
        str | None, typer.Argument(help="Để trống: chỉ xóa nốt tệp / none: only go on removing files")
    ] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Destroy the content of an approved disposal, then its files; repeated, it goes on where it was stopped."""
    output: Output = context.obj
    stores = open_for(load_settings(), Role.CLERK)
    person = deciding(by, why, stores.engine)
    refused: dict[str, str] = {}
    done = 0
    if disposal is not None:
        chosen = _chosen(stores.engine, disposal)
        for document in open_documents(stores.engine, chosen):
            try:
                decide(stores.engine, execution_decision(stores.engine, chosen, document, **person))
                done += 1
            except ConfigurationError as error:
                refused[document] = str(error)
    removed = remove_objects(stores.engine, stores.objects, **person)
    if as_json:
        output.json({"documents": done, "refused": refused, **asdict(removed)})
    else:
        output.line(
            output.words("disposal_done", documents=done, objects=removed.objects, bytes=removed.bytes)
        )
        for document, reason in refused.items():
            output.line(f"{document}: {reason}")
        if removed.kept:
            output.line(output.words("objects_kept", count=removed.kept))
        if removed.waiting_for:
            output.line(output.words("objects_wait", runs=", ".join(removed.waiting_for)))
    if refused:
        raise typer.Exit(1)


def _decide(context: typer.Context, disposal: str, kind: str, word: str, by: str, why: str) -> None:
    output: Output = context.obj
    engine = open_for(load_settings(), Role.CLERK).engine
    identity = _chosen(engine, disposal)
    decide(engine, Decision(kind, identity, **deciding(by, why, engine)))
    output.line(f"{output.words(word)}: {identity}")


def _chosen(engine: sa.Engine, what: str) -> str:
    found = [view.id for view in disposals(engine) if len(what) >= 8 and view.id.startswith(what.lower())]
    if len(found) != 1:
        raise ConfigurationError(
            f"{what!r} names {len(found)} disposals",
            expected="exactly one, by 8 or more characters of its identity",
            action="list them: lienthong retention list --json",
        )
    return found[0]


def _identity(engine: sa.Engine, what: str, is_dossier: bool) -> str:
    return dossier(engine, what).id if is_dossier else chosen_document(engine, what).document


def _documents(engine: sa.Engine, what: Sequence[str], are_dossiers: bool) -> list[str]:
    if not are_dossiers:
        return [chosen_document(engine, one).document for one in what]
    return [entry.document for one in what for entry in dossier(engine, one).documents if not entry.disposed]


def _shown(day: date | None) -> str:
    return day.strftime("%d/%m/%Y") if day else ""
