"""``lienthong backup`` and ``restore``; ``export-archive`` and ``import-archive``: the whole archive, out and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipeline import backing_up
from pipeline.auditing import audit_lines, audit_value
from pipeline.commands.output import Output
from pipeline.settings import load_settings

FOLDER = Annotated[Path, typer.Argument(help="Thư mục / folder")]
JSON = Annotated[bool, typer.Option("--json", help="JSON")]
_EXIT_FAILED = 4


def register(app: typer.Typer) -> None:
    """Add the subcommands to ``app``."""
    app.command("backup", help="Sao lưu cơ sở dữ liệu, tệp và mốc neo / back up the whole archive.")(backup)
    app.command(
        "restore", help="Phục hồi vào nơi trống rồi kiểm toán / restore into an empty place, and audit."
    )(restore)
    app.command(
        "export-archive", help="Xuất toàn bộ kho thành một gói BagIt / the whole archive as one bag."
    )(export_archive)
    app.command("import-archive", help="Dựng kho mới từ gói BagIt / make a fresh archive of such a bag.")(
        import_archive
    )


def backup(
    context: typer.Context,
    folder: FOLDER,
    keep: Annotated[int, typer.Option(help="Giữ lại bao nhiêu bản mới nhất / how many backups to keep")] = 7,
    as_json: JSON = False,
) -> None:
    """Exit status 4 when an object of the archive could not be copied; the backup stands all the same."""
    output: Output = context.obj
    with _counting(output, as_json) as on_progress:
        done, forgotten = backing_up.back_up(load_settings(), folder, keep, on_progress)
    if as_json:
        output.json({**asdict(done), "forgotten_objects": forgotten})
    else:
        made = done.backup
        output.line(
            output.words(
                "backup_made",
                name=made.name, objects=made.objects, copied=done.copied, megabytes=round(done.copied_bytes / 1e6),
                seq=made.head.seq, root=made.root,
            )
        )  # fmt: skip
        for name in made.missing:
            output.line(f"  {output.words('backup_missing')}: {name}", style="red")
    if done.backup.missing:
        raise typer.Exit(_EXIT_FAILED)


def restore(
    context: typer.Context,
    folder: FOLDER,
    name: Annotated[str, typer.Option(help="Bản nào; mặc định bản mới nhất / which backup")] = "",
    as_json: JSON = False,
) -> None:
    """Exit status 4 unless the audit of what came back finds nothing wrong."""
    output: Output = context.obj
    with _counting(output, as_json) as on_progress:
        done = backing_up.restore(load_settings(), folder, name, on_progress)
    told = audit_value(done.audit, output.words)
    if as_json:
        output.json({"backup": asdict(done.backup), "audit": told})
    else:
        rows = sum(table.rows for table in done.backup.tables)
        output.line(
            output.words("backup_restored", name=done.backup.name, objects=done.backup.objects, rows=rows)
        )
        for line in audit_lines(told, output.words):
            output.line(line)
    if not done.audit.clean:
        raise typer.Exit(_EXIT_FAILED)


def export_archive(context: typer.Context, folder: FOLDER, as_json: JSON = False) -> None:
    """Write the whole archive into a new folder, a bag, and read it again. The bag is not encrypted."""
    output: Output = context.obj
    with _counting(output, as_json) as on_progress:
        told = backing_up.export_whole(load_settings(), folder, on_progress)
    if as_json:
        output.json(asdict(told))
    else:
        output.line(output.words("bag_exported", **asdict(told)))


def import_archive(context: typer.Context, folder: FOLDER, as_json: JSON = False) -> None:
    """Check the bag, make the archive from it, and see that its ledger has the bag's Merkle root."""
    output: Output = context.obj
    with _counting(output, as_json) as on_progress:
        done = backing_up.import_whole(load_settings(), folder, on_progress)
    documents = done.made.documents if done.made else 0
    if as_json:
        output.json({**asdict(done.bag), "already_here": done.made is None, "documents": documents})
    else:
        word = "bag_imported" if done.made else "bag_already_here"
        output.line(output.words(word, documents=documents, **asdict(done.bag)))


@contextmanager
def _counting(output: Output, quiet: bool) -> Iterator[Callable[[int], None]]:
    with output.progress(quiet) as bar:
        task = bar.add_task(output.words("backup_objects"), total=None)
        yield lambda count: bar.update(task, completed=count)
