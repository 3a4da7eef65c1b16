"""``lienthong trust``: what is trusted and until when; adding to it; taking revocation lists in, or fetching them."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from asn1crypto import pem
from cryptography import x509

from archive.queries import signer_certificates
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from pipeline.trust_fetch import fetch as fetch_lists
from schemas.errors import ConfigurationError
from signatures.trust import certificates_of, load_trust
from signatures.trust_intake import INCOMING, Taken, take
from signatures.trust_report import TrustedCertificate, TrustReport, describe, report


class Part(StrEnum):
    """Where an added certificate belongs."""

    ROOT = "root"
    TSA_ROOT = "tsa_root"
    INTERMEDIATE = "intermediate"


_FOLDERS = {Part.ROOT: "roots", Part.TSA_ROOT: "tsa_roots", Part.INTERMEDIATE: "intermediates"}
_AsJson = Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")]


def register(app: typer.Typer) -> None:
    """Add the subcommands to ``app``."""
    group = typer.Typer(invoke_without_command=True, help="Chứng thư và danh sách thu hồi được tin / trust.")
    group.callback()(show)
    group.command("add", help="Thêm chứng thư hoặc danh sách thu hồi / add certificates or lists.")(add)
    group.command("take", help="Tiếp nhận tệp trong trust/incoming / take dropped files in.")(take_dropped)
    group.command("fetch", help="Tải danh sách thu hồi qua mạng / fetch revocation lists.")(fetch)
    app.add_typer(group, name="trust")


def show(context: typer.Context, as_json: _AsJson = False) -> None:
    """Print what is trusted; the exit status is 1 when something is missing, stale or out of its validity."""
    if context.invoked_subcommand is not None:
        return
    output: Output = context.obj
    found = report(load_settings().trust, datetime.now(UTC))
    if as_json:
        output.json({**asdict(found), "in_order": found.in_order})
    else:
        _print(output, found)
    if not found.in_order:
        raise typer.Exit(1)


def add(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Tệp PEM, DER / PEM or DER files")
    ],
    part: Annotated[
        Part, typer.Option("--as", help="Chứng thư gốc hay trung gian / what the certificates are")
    ] = Part.INTERMEDIATE,
    fingerprint: Annotated[
        list[str] | None,
        typer.Option(help="SHA-256 mà tổ chức cấp công bố / as the authority publishes it"),
    ] = None,
) -> None:
    """Put certificates of authorities and revocation lists in place; a person vouches for each certificate.

    The fingerprint must be the one given with ``--fingerprint``, or is confirmed at the terminal. The exit status is
    1 when something was not added.
    """
    output: Output = context.obj
    folder = load_settings().trust
    expected = {"".join(filter(str.isalnum, item)).lower() for item in fingerprint or ()}
    refused = False
    for path in files:
        data = path.read_bytes()
        if not _is_certificate(data):
            _write(folder / INCOMING, path.name, data)
            continue
        for der in _authorities_in(path, data):
            described = describe(der, part.value, datetime.now(UTC))
            _print_certificates(output, [described])
            if described.sha256 not in expected and not _confirmed(output):
                refused = True
                continue
            _write(folder / _FOLDERS[part], f"{described.sha256[:16]}.crt", der)
            output.line(f"{output.words('added')}: {described.subject}")
    taken = take(folder, datetime.now(UTC), settled=timedelta()) if folder.is_dir() else []
    if taken:
        _print_taken(output, taken)
    if refused or any(item.outcome == "rejected" for item in taken):
        raise typer.Exit(1)


def take_dropped(context: typer.Context, as_json: _AsJson = False) -> None:
    """Check what lies in the drop folders and keep it with its receipt; 1 when something was rejected."""
    output: Output = context.obj
    taken = take(load_settings().trust, datetime.now(UTC))
    if as_json:
        for item in taken:
            output.json(asdict(item))
    elif taken:
        _print_taken(output, taken)
    else:
        output.line(output.words("nothing_dropped"))
    if any(item.outcome == "rejected" for item in taken):
        raise typer.Exit(1)


def fetch(
    context: typer.Context,
    with_ocsp: Annotated[
        bool, typer.Option("--ocsp", help="Hỏi cả OCSP cho từng người ký / ask OCSP for each signer")
    ] = False,
) -> None:
    """Fetch the lists that trusted authorities and their signers name, then take them in; 1 when one did not come."""
    output: Output = context.obj
    settings = load_settings()
    stores = open_stores(settings)
    signers = []
    for sha256 in signer_certificates(stores.engine):
        if stores.objects.exists(sha256):
            with stores.objects.open(sha256) as stream:
                signers.append(stream.read())
    done = fetch_lists(settings.trust, load_trust(settings.trust), signers, with_ocsp=with_ocsp)
    output.table("", ("where", "standing"), [(item.url, output.words(item.outcome)) for item in done])
    taken = take(settings.trust, datetime.now(UTC), settled=timedelta())
    if taken:
        _print_taken(output, taken)
    if any(item.outcome != "fetched" for item in done) or any(item.outcome == "rejected" for item in taken):
        raise typer.Exit(1)


def _is_certificate(data: bytes) -> bool:
    if pem.detect(data):
        return b"CERTIFICATE-----" in data
    try:
        x509.load_der_x509_certificate(data)
    except ValueError:
        return False
    return True


def _authorities_in(path: Path, data: bytes) -> list[bytes]:
    """The certificates of a file, if all of them are of authorities.

    Raises:
        ConfigurationError: one is not, or is broken.
    """
    try:
        ders = certificates_of(data)
        for der in ders:
            constraints = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
                x509.BasicConstraints
            )
            if not constraints.value.ca:
                raise ValueError("the certificate of a signer, not of an authority")
    except (ValueError, x509.ExtensionNotFound) as error:
        raise ConfigurationError(
            f"not added: {error}",
            where=str(path),
            expected="certificates of certificate authorities, PEM or DER, without private keys",
        ) from error
    return ders


def _confirmed(output: Output) -> bool:
    return sys.stdin.isatty() and typer.confirm(output.words("confirm_fingerprint"), default=False)


def _write(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{secrets.token_hex(8)}.partial"
    with partial.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    partial.rename(folder / name)


def _print(output: Output, found: TrustReport) -> None:
    if not found.certificates:
        output.line(output.words("no_trust"), style="bold red")
    else:
        _print_certificates(output, list(found.certificates))
    rows = [
        (item.issuer, item.number, item.this_update, item.next_update, item.entries, output.words(item.state))
        for item in found.lists
    ]
    if rows:
        columns = ("issuer_name", "list_number", "issued_at", "next_update", "entries", "state")
        output.table(output.words("revocation_lists"), columns, rows)
    if found.rejected:
        rejected = [(item.file, item.reason) for item in found.rejected]
        output.table(output.words("rejected_title"), ("file", "reason"), rejected)


def _print_certificates(output: Output, found: list[TrustedCertificate]) -> None:
    rows = [
        (item.subject, output.words(item.part), item.not_after, output.words(item.state)) for item in found
    ]
    columns = ("subject_name", "kind", "valid_until", "state")
    output.table(output.words("trusted"), columns, rows)
    # Outside of the table, which would fold it: a fingerprint is compared, and copied, as one word.
    for item in found:
        output.line(f"SHA-256 {item.sha256}  {item.subject}")


def _print_taken(output: Output, taken: list[Taken]) -> None:
    rows = [
        (item.file, output.words(item.outcome), item.reason or (item.receipt.issuer if item.receipt else ""))
        for item in taken
    ]
    output.table(output.words("taken_title"), ("file", "standing", "detail"), rows)
