"""``lienthong decode``: what of a file is legacy Vietnamese, how it would read, and why; nothing is written."""

from __future__ import annotations

import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from connectors.lotus_notes.folder import DxlFolder
from mappings.explanations import Explanation, Standing, explain_lines, explain_record
from mappings.legacy_tables import Encoding
from pipeline.commands.output import Output
from schemas.record import Unreadable

_STANDARD_INPUT = "-"
_AUTO = "auto"
_SHOWN = 300  # characters of a text in a table; JSON has all
_HEAD = 65_536


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command(
        "decode", help="Xem chữ TCVN3, VNI… sẽ được chuyển ra sao, vì sao / see what is decoded, and why."
    )(decode)


def decode(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(help="Tệp văn bản hoặc DXL, thư mục, ZIP, - / text or DXL files, -")
    ],
    encoding: Annotated[
        str, typer.Option(help=f"{_AUTO} | {' | '.join(Encoding)} (văn bản thuần / plain text only)")
    ] = _AUTO,
    as_json: Annotated[
        bool, typer.Option("--json", help="Một dòng JSON mỗi đoạn / a JSON line a text")
    ] = False,
) -> None:
    """Print every text of ``files`` that is not plain ASCII, what becomes of it, and why."""
    output: Output = context.obj
    asked = _asked(encoding)
    for name in files:
        for title, explanations in _explained(name, asked):
            if as_json:
                for one in explanations:
                    output.json({"source": title, **_json(one)})
            else:
                _print(output, title, explanations)


def _asked(encoding: str) -> Encoding | None:
    if encoding == _AUTO:
        return None
    try:
        return Encoding(encoding)
    except ValueError as error:
        raise typer.BadParameter(
            f"expected {_AUTO} or one of {', '.join(Encoding)}", param_hint="--encoding"
        ) from error


def _explained(name: str, asked: Encoding | None) -> Iterator[tuple[str, Iterable[Explanation | Unreadable]]]:
    """The texts of one file, by record; a text file is one record."""
    if name == _STANDARD_INPUT:
        data = sys.stdin.buffer.read()
        if not _is_dxl(data[:_HEAD]):
            yield name, explain_lines(_lines(data), asked)
            return
        with tempfile.TemporaryDirectory() as folder:
            spooled = Path(folder, "stdin.dxl")
            spooled.write_bytes(data)
            yield from _records(spooled)
        return
    path = Path(name)
    if not path.exists():
        raise typer.BadParameter(f"{name} is not there", param_hint="FILES")
    if path.is_dir() or _is_dxl(_head(path)):
        yield from _records(path)
    else:
        yield name, explain_lines(_lines(path.read_bytes()), asked)


def _records(path: Path) -> Iterator[tuple[str, Iterable[Explanation | Unreadable]]]:
    for answer in DxlFolder("decode", path).records():
        title = answer.listing.key
        if isinstance(answer, Unreadable):
            yield title, (answer,)
        else:
            told = (one for one in explain_record(answer) if one.standing is not Standing.ASCII)
            yield f"{title} {answer.form}".rstrip(), told


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD)


def _is_dxl(head: bytes) -> bool:
    """An archive, or XML whatever its encoding: a text of an office does not begin with a less-than sign."""
    plain = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return plain.startswith((b"<", b"PK\x03\x04"))


def _lines(data: bytes) -> list[str]:
    """Only line feeds part lines: control characters that ``splitlines`` knows are letters of VISCII and VPS."""
    return [line.removesuffix("\r") for line in _text(data).split("\n")]


def _text(data: bytes) -> str:
    """Unicode if it is valid; else the bytes of a legacy font as Windows shows them."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Bytes that code page 1252 leaves undefined pass through, as Windows lets them.
        return data.decode("latin-1").translate(_WINDOWS)


_WINDOWS = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def _print(output: Output, title: str, explanations: Iterable[Explanation | Unreadable]) -> None:
    rows: list[tuple[object, ...]] = []
    counts: Counter[str] = Counter()
    for one in explanations:
        if isinstance(one, Unreadable):
            output.line(f"{title}: {output.words(one.reason)}: {one.message}")
            return
        counts[one.standing] += 1
        if one.standing is Standing.ASCII:
            continue
        if one.standing is Standing.UNICODE and not one.place.isdecimal():
            continue  # a field that is as it should be; of a text every line is answered
        basis = one.basis
        rows.append(
            (
                one.place,
                output.words(one.standing),
                output.words(f"encoding_{basis.encoding}") if basis else "",
                output.words(basis.reason) if basis and one.standing is Standing.DECODED else "",
                f"{int(basis.confidence * 1000) / 10:g} %" if basis else "",
                _visible(one.before) + (f"\n→ {_visible(one.after)}" if one.after != one.before else ""),
            )
        )
    if rows:
        output.table(title, ("place", "standing", "encoding", "because", "confidence", "text"), rows)
    told = ", ".join(f"{output.words(standing)} {count}" for standing, count in counts.items())
    output.line(f"{title}: {told or output.words('nothing_legacy')}")


def _visible(text: str) -> str:
    """``text`` with control and format characters, letters of some encodings, as escapes; its beginning only."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return "".join(
        f"\\x{ord(c):02x}" if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cf"} else c
        for c in shown
    )


def _json(one: Explanation | Unreadable) -> dict[str, object]:
    if isinstance(one, Unreadable):
        return {"standing": "unreadable", "message": one.message, "where": one.where}
    basis = one.basis
    return {
        "place": one.place,
        "standing": one.standing,
        "encoding": basis.encoding if basis else None,
        "reason": basis.reason if basis else None,
        "confidence": int(basis.confidence * 10_000) / 10_000 if basis else None,
        "before": one.before,
        "after": one.after,
    }
