"""``lienthong search``: find documents by number, words and filters, under the reader's rights."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import typer
from rich.text import Text

from archive.access_roles import Role
from archive.excerpts import Excerpt
from archive.search import MOST, Found, Hit, search
from archive.search_query import Filters, Query
from pipeline.access_accounts import open_for, open_for_reading
from pipeline.commands.output import Output
from pipeline.settings import load_settings

_MOST_VALUES = 10


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    # A word to leave out begins with a dash, as options do.
    settings = {"ignore_unknown_options": True}
    app.command("search", help="Tìm văn bản / search for documents.", context_settings=settings)(find)


def find(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help='Số ký hiệu, từ, "cụm từ", -loại trừ, đầu từ* / number, words, "phrase", -not, beginning*'
        ),
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Ban hành từ ngày / issued from")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Đến hết ngày / up to")
    ] = None,
    organ: Annotated[
        str | None, typer.Option(help="Cơ quan ban hành: tên hoặc mã, kể cả mã cũ / issuer: name or code")
    ] = None,
    of_type: Annotated[str | None, typer.Option("--type", help="Tên loại hoặc mã / type or its code")] = None,
    signer: Annotated[str | None, typer.Option(help="Người ký / signer")] = None,
    verdict: Annotated[
        str | None, typer.Option(help="Kết luận chữ ký, ví dụ TOTAL_PASSED / the worst verdict in force")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Nguồn / source")] = None,
    direction: Annotated[str | None, typer.Option(help="incoming | outgoing | internal")] = None,
    kind: Annotated[str | None, typer.Option(help="document | status | other")] = None,
    file: Annotated[
        str | None, typer.Option(help="Có tệp dạng: pdf, docx … / has a file of this kind")
    ] = None,
    recalled: Annotated[
        bool,
        typer.Option("--recalled", help="Cả văn bản đã thu hồi (văn thư) / recalled ones, too, for a clerk"),
    ] = False,
    facets: Annotated[bool, typer.Option("--facets", help="Đếm theo nhóm / count by facet")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Số văn bản mỗi trang / per page")] = 20,
    after: Annotated[
        str | None, typer.Option(help="Trang sau của lượt trước / next page of the last")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / one JSON line")] = False,
) -> None:
    """Print what is found, best first; the exit status is 1 when nothing is."""
    output: Output = context.obj
    settings = load_settings()
    stores = open_for(settings, Role.CLERK) if recalled else open_for_reading(settings)
    filters = Filters(
        first=_day(first),
        last=_day(last),
        organ=organ,
        signer=signer,
        type=of_type,
        verdict=verdict.upper() if verdict else None,
        source=source,
        direction=direction,
        kind=kind,
        file=file,
        recalled=recalled,
    )
    query = Query(" ".join(words or ()), filters)
    found = search(stores.engine, query, limit=limit, after=after, facets=facets)
    if as_json:
        output.json(asdict(found))
    else:
        _print(output, found)
    if not found.hits:
        raise typer.Exit(1)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _print(output: Output, found: Found) -> None:
    for hit in found.hits:
        _print_hit(output, hit)
    if not found.hits:
        output.line(output.words("search_none"))
    if found.counted is not None:
        counted = "search_counted" if found.is_all else "search_counted_some"
        rows = [
            (
                output.words(f"facet_{name}"),
                facet.label or output.words(facet.value or "undetermined"),
                facet.documents,
            )
            for name, facets in found.facets.items()
            for facet in facets[:_MOST_VALUES]
        ]
        output.table(output.words(counted, documents=found.counted), ("facet", "value", "count"), rows)
    if found.after:
        output.line(output.words("search_more", after=found.after))
    if found.behind:
        output.line(output.words("search_behind", events=found.behind), style="yellow")


def _print_hit(output: Output, hit: Hit) -> None:
    issued = hit.issued_date.strftime("%d/%m/%Y") if hit.issued_date else None
    title = " · ".join(filter(None, (hit.symbol or hit.source_key, issued, hit.issuer_name, hit.source)))
    if hit.recalled:
        title = f"{title} [{output.words('recalled')}]"
    output.line(title, style="bold")
    if not any(cut.place == "subject" for cut in hit.excerpts) and hit.subject:
        output.line(f"  {hit.subject}")
    for cut in hit.excerpts:
        output.console.print(_marked(cut), soft_wrap=True)


def _marked(cut: Excerpt) -> Text:
    name = f"{cut.name}: " if cut.name else ""
    text = Text(f"  {name}{cut.text}")
    shift = 2 + len(name)
    for start, end in cut.marks:
        text.stylize("bold reverse", start + shift, end + shift)
    return text
