"""``lienthong show``: one document as the archive has it; its files to hand out."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from archive.access_roles import Role
from archive.handover.safe_names import extension
from archive.manifest import read_manifest
from archive.queries import find_document, find_with_recalled
from archive.reading import Reader, Reading, record_readings
from archive.views import DocumentView, Tombstone, VerdictView
from connectors.lotus_notes.dxl import DXL_TYPE
from pipeline.access_accounts import open_for, open_for_reading
from pipeline.acting import acting_account
from pipeline.commands.output import Output
from pipeline.commands.threads import print_history, relation_rows
from pipeline.record_pages import page_of
from pipeline.settings import load_settings
from pipeline.stages import Stores
from schemas.errors import ConfigurationError, FatalError


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("show", help="Xem một văn bản trong kho / show a document.")(show)


def show(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(help="Số ký hiệu, mã, UNID hoặc đầu SHA-256 / symbol, id, or 8+ digits of a SHA-256"),
    ],
    save: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Chép bản gốc và tệp ra thư mục này / copy the files out to this folder"
        ),
    ] = None,
    recalled: Annotated[
        bool,
        typer.Option(
            "--recalled",
            help="Cả nội dung của văn bản đã thu hồi (văn thư) / recalled documents whole, for a clerk",
        ),
    ] = False,
    sealed: Annotated[
        bool,
        typer.Option("--sealed", help="Tìm cả trong niêm phong (người giữ kho) / among sealed ones too"),
    ] = False,
    why: Annotated[
        str,
        typer.Option(
            help="Chép tệp ra để làm gì, bắt buộc với --save / what the files are copied out for, demanded by --save"
        ),
    ] = "",
    by: Annotated[str, typer.Option(help="Ai nhận tệp / who gets the files (mặc định: tài khoản)")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Một dòng JSON mỗi văn bản / a JSON line each")
    ] = False,
) -> None:
    """Print the documents that ``what`` names; the exit status is 1 when there is none.

    Copying files out is a reading, which the ledger keeps with its purpose: only a person knows it.
    """
    output: Output = context.obj
    if save is not None and not why.strip():
        raise typer.BadParameter(output.words("copying_needs_why"), param_hint="--why")
    settings = load_settings()
    stores = open_for(settings, Role.OWNER) if sealed else open_for_reading(settings)
    if recalled and stores.role not in (Role.CLERK, Role.OWNER):
        raise ConfigurationError(
            "recalled documents are shown whole to a clerk only", expected=f"the role {Role.CLERK}"
        )
    account = acting_account()
    reader = Reader(by.strip() or account, account, why.strip())
    found = (find_with_recalled if recalled else find_document)(stores.engine, what)
    for document in found:
        if as_json:
            output.json(asdict(document))
        elif isinstance(document, Tombstone):
            _print_tombstone(output, document)
        else:
            _print(output, document)
        if save is not None and isinstance(document, DocumentView):
            _copy_out(stores, document, save, reader)
    if not found:
        if not as_json:
            output.line(f"{output.words('not_found')} {what!r}")
        raise typer.Exit(1)


def _print(output: Output, document: DocumentView) -> None:
    current = document.current
    title = current.symbol or current.uid or document.source_key
    rows: list[tuple[str, object]] = [
        (output.words("type"), current.type_name),
        (output.words("subject"), current.subject),
        (output.words("issued"), current.issued_date.strftime("%d/%m/%Y") if current.issued_date else None),
        (output.words("issuer"), current.issuer_name),
        (output.words("signer"), ", ".join(current.signers)),
        (output.words("origin"), f"{document.source} · {document.source_key}"),
        (output.words("original"), f"{current.original_sha256} ({current.original_size} byte)"),
        (output.words("access"), output.words(f"access_{document.access}")),
        (output.words("retention"), current.retention or output.words("undetermined")),
        (output.words("versions"), len(document.versions)),
        (output.words("gone_from_source"), document.gone_from_source_at),
    ]
    rows += relation_rows(output, document.relations)
    rows += [
        (
            output.words("same_as"),
            f"{same.grade} · {same.source} · {same.source_key} · {same.document}"
            f" · {output.words(f'link_state_{same.state}')}"
            + (f" [{output.words('recalled')}]" if same.recalled else ""),
        )
        for same in document.same_as
    ]
    rows += [(output.words("flags"), f"{flag.field} {flag.code}: {flag.message}") for flag in current.flags]
    for state in ("recalled", "replaced"):
        if getattr(document, state):
            title = f"{title}  [{output.words(state)}]"
    output.table(title, ("detail", "message"), [row for row in rows if row[1]])
    print_history(output, document.history)
    _print_files(output, document)


def _print_tombstone(output: Output, document: Tombstone) -> None:
    """What remains visible of a recalled document: which it was, who recalled it, how it was handled."""
    rows: list[tuple[str, object]] = [
        (output.words("issued"), document.issued_date.strftime("%d/%m/%Y") if document.issued_date else None),
        (output.words("issuer"), document.issuer_name),
        (output.words("origin"), f"{document.source} · {document.source_key}"),
        *relation_rows(output, document.relations),
        (output.words("content"), output.words("hidden_recalled")),
    ]
    title = document.symbol or document.source_key
    if document.recalled:
        title = f"{title}  [{output.words('recalled')}]"
    output.table(title, ("detail", "message"), [row for row in rows if row[1]])
    print_history(output, document.history)


def _print_files(output: Output, document: DocumentView) -> None:
    verdicts: dict[int | None, list[VerdictView]] = {}
    for verdict in document.current.verdicts:
        if verdict.in_force:
            verdicts.setdefault(verdict.attachment, []).append(verdict)
    rows: list[tuple[object, ...]] = [
        _signature_row(output, output.words("original"), verdict) for verdict in verdicts.get(None, [])
    ]
    for file in document.current.files:
        name = f"{file.name} ({file.size} byte)"
        rows += [_signature_row(output, name, verdict) for verdict in verdicts.get(file.ordinal, [])]
    if rows:
        output.table(output.words("attachments"), ("file", "verdict", "signer", "role", "time"), rows)
    _print_checks(output, document)


def _print_checks(output: Output, document: DocumentView) -> None:
    """When and why signatures were verified again, and what each check found."""
    rows: list[tuple[object, ...]] = []
    for check in document.current.checks:
        reasons = ", ".join(output.words(f"reason_{reason}") for reason in check.reasons)
        for verdict in document.current.verdicts:
            if verdict.check_no == check.check_no:
                found = " ".join((output.words(verdict.indication), verdict.sub_indication)).strip()
                standing = "in_force" if verdict.in_force else "not_in_force"
                why = f"{reasons}: {check.why}" if check.why else reasons
                rows.append((check.verified_at, why, verdict.signer_name, found, output.words(standing)))
    if rows:
        columns = ("time", "reason", "signer", "verdict", "standing")
        output.table(output.words("checked_again"), columns, rows)


def _signature_row(output: Output, name: str, verdict: VerdictView) -> tuple[object, ...]:
    judgement = " ".join((output.words(verdict.indication), verdict.sub_indication)).strip()
    if verdict.provisional:
        judgement = f"{judgement} ({output.words('provisional')})"
    return (
        name,
        judgement,
        verdict.signer_name,
        output.words(verdict.role) if verdict.signer_name else None,
        _signed_at(verdict),
    )


def _signed_at(verdict: VerdictView) -> datetime | None:
    """The time that a time-stamp proves, else the one that the signer claims; never that of the check."""
    proven = verdict.verdict.get("best_time_source") == "timestamp"
    return verdict.best_time if proven else verdict.claimed_time


def _copy_out(stores: Stores, document: DocumentView, folder: Path, reader: Reader) -> None:
    current = document.current
    place = folder / document.document
    place.mkdir(parents=True, exist_ok=True)
    # Names from outside never become paths: files are named by their position and their hash.
    copies = {f"original-{current.original_sha256[:16]}": current.original_sha256}
    for file in current.files:
        copies[f"{file.ordinal:03d}-{file.sha256[:16]}{extension(file.media_type)}"] = file.sha256
    record_readings(
        stores.engine,
        [Reading(document.document, sha256) for sha256 in dict.fromkeys(copies.values())],
        reader,
    )
    for name, sha256 in copies.items():
        try:
            with stores.objects.open(sha256) as stream, (place / name).open("wb") as target:
                shutil.copyfileobj(stream, target)
        except OSError as error:
            raise FatalError(f"cannot copy a file out: {error.strerror}", where=str(place / name)) from error
    if current.original_type == DXL_TYPE:
        with stores.objects.open(current.manifest_sha256) as stream:
            context = read_manifest(stream.read()).context
        page = page_of(stores.objects.content(current.original_sha256), context)
        if page is not None:
            (place / _PAGE).write_text(page, encoding="utf-8")


_PAGE = "page.html"
