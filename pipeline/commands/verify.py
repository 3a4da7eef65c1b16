"""``lienthong verify``: the verdict on every signature in files, without an archive."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.output import Output
from pipeline.settings import load_settings
from schemas.record import FileContent, sha256_of
from signatures import verify as verify_signatures
from signatures.signed_file import DETACHED_SUFFIXES, SignedFile
from signatures.trust import TrustStore, load_trust
from signatures.verdict import Indication, Verdict, worst


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("verify", help="Kiểm tra chữ ký số trong tệp / verify signatures in files.")(verify)


def verify(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Tệp / files")],
    trust: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Thư mục chứng thư tin cậy / trust folder"),
    ] = None,
    crl: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Thư mục CRL / folder of revocation lists"),
    ] = None,
    content: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Tệp được ký tách rời / the file that a detached signature signs",
        ),
    ] = None,
    at: Annotated[str | None, typer.Option(help="Thời điểm kiểm tra ISO 8601 / validation time")] = None,
    integrity_only: Annotated[
        bool, typer.Option("--integrity-only", help="Chỉ tính toàn vẹn / leave trust out")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Một dòng JSON mỗi tệp / a JSON line a file")
    ] = False,
) -> None:
    """Verify ``files``; the exit status is 0 only if every one of them passed."""
    output: Output = context.obj
    if content is not None and len(files) != 1:
        raise typer.BadParameter("--content belongs to exactly one signature file", param_hint="--content")
    # Broken trust material must not stand in the way of a question that leaves it out.
    store = TrustStore() if integrity_only else load_trust(trust or load_settings().trust, crl)
    moment = _moment(at)
    rows: list[tuple[object, ...]] = []
    all_passed = True
    for path in files:
        detached = FileContent(content) if content is not None else _beside(path)
        signed = SignedFile(path.name, FileContent(path), detached)
        verdicts = verify_signatures(signed, store, moment, integrity_only=integrity_only)
        verdict = worst(verdicts)
        all_passed = all_passed and verdict is Indication.TOTAL_PASSED
        if as_json:
            output.json(_json(path, _sha256(path), verdict, verdicts))
        else:
            rows.extend(_rows(output, path, verdicts))
    if not as_json:
        output.table("", ("file", "verdict", "signer", "role", "time", "detail"), rows)
    if not all_passed:
        raise typer.Exit(1)


def _moment(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise typer.BadParameter(f"{at!r} is no ISO 8601 time", param_hint="--at") from error
    return moment if moment.tzinfo else moment.astimezone()


def _beside(path: Path) -> FileContent | None:
    """The file that a detached signature ``x.pdf.p7s`` signs, when ``x.pdf`` lies beside it."""
    signed = path.with_suffix("")
    return FileContent(signed) if path.suffix.lower() in DETACHED_SUFFIXES and signed.is_file() else None


def _sha256(path: Path) -> str:
    """Of the file; ``""`` for one that cannot be read, whose verdict says so."""
    try:
        return sha256_of(FileContent(path))
    except OSError:
        return ""


def _json(path: Path, sha256: str, verdict: Indication, verdicts: list[Verdict]) -> dict[str, object]:
    signed = [item for item in verdicts if item.path]
    return {
        "file": str(path),
        "sha256": sha256,
        "format": verdicts[0].format if verdicts else "",
        "verdict": verdict.value,
        "signatures": [_times_as_text(asdict(item)) for item in signed],
        "messages": [message for item in verdicts if not item.path for message in item.messages],
    }


def _times_as_text(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _times_as_text(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_times_as_text(member) for member in value]
    return value


def _judgement(output: Output, verdict: Verdict) -> str:
    judgement = output.words(verdict.indication.value)
    return f"{judgement} ({output.words('provisional')})" if verdict.provisional else judgement


def _rows(output: Output, path: Path, verdicts: list[Verdict]) -> list[tuple[object, ...]]:
    return [
        (
            path.name,
            _judgement(output, verdict),
            verdict.signer.common_name if verdict.signer else "",
            output.words(verdict.role.value) if verdict.path else "",
            verdict.best_time if verdict.best_time_source == "timestamp" else verdict.claimed_time,
            " ".join((verdict.sub_indication, *verdict.messages[:1])).strip(),
        )
        for verdict in verdicts
    ]
