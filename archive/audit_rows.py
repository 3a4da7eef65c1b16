"""Auditing rows against manifests: what the database shows of a version is what its manifest says.

The rows are made again from the manifests by the functions that made them (``archive.rows``) and compared column by
column. Comparing all takes a millisecond a version, so that by default each night takes its share of a rotation that
needs no memory: a document's share follows from its identity, and the night from the day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa

from archive.audit_finding import Findings
from archive.identities import document_id
from archive.manifest import read_manifest
from archive.objects import ObjectStore
from archive.outcomes import Archived
from archive.rows import (
    Row,
    Version,
    attachment_rows,
    check_rows,
    handling_rows,
    relation_rows,
    verdict_rows,
    version_row,
)
from archive.stored_text import column_text, key_text
from archive.verification import Verification, read_verification
from schemas.errors import ConfigurationError, LienthongError, RetriableError

_PAGE = 100
_JSON = ("flags", "verdict")
_Place: TypeAlias = "tuple[UUID, int]"
_Key: TypeAlias = "tuple[str, UUID, int, tuple[object, ...]]"

_KEYS: Mapping[str, tuple[str, ...]] = {
    "document_version": (),
    "attachment": ("ordinal",),
    "relation": ("ordinal",),
    "handling_step": ("ordinal",),
    "signature_verdict": ("check_no", "position"),
    "verdict_set_aside": ("check_no", "position"),
}
"""Tables that follow from manifests, and what tells their rows apart within a version."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which documents are compared: those whose identity leaves ``rest`` when divided by ``parts``."""

    parts: int = 1
    rest: int = 0


def audit_rows(connection: sa.Connection, objects: ObjectStore, share: Share, findings: Findings) -> int:
    """Compare the rows of the versions of ``share`` with their manifests; returns how many versions that were.

    Args:
        connection: in the transaction whose snapshot is audited.
        objects: holds the manifests.
        share: which documents.
        findings: takes what is wrong.
    """
    compared = 0
    after: _Place = (UUID(int=0), 0)
    while page := _page(connection, share, after):
        _compare_page(connection, objects, page, findings)
        compared += len(page)
        after = (page[-1]["document_id"], page[-1]["version"])
    return compared


def _page(connection: sa.Connection, share: Share, after: _Place) -> Sequence[sa.RowMapping]:
    values = {
        "parts": share.parts, "rest": share.rest, "document": after[0], "version": after[1], "limit": _PAGE,
    }  # fmt: skip
    return connection.execute(_VERSIONS, values).mappings().all()


def _compare_page(
    connection: sa.Connection, objects: ObjectStore, page: Sequence[sa.RowMapping], findings: Findings
) -> None:
    held = _held(connection, page)
    expected: dict[_Key, Row] = {}
    readable: set[_Place] = set()
    for row in page:
        made = _made_again(row, objects, findings)
        if made is not None:
            readable.add((row["document_id"], row["version"]))
            expected.update(made)
    for check in _verifications(connection, objects, page, findings):
        expected.update(_check(check))
    _compare(expected, {key: row for key, row in held.items() if key[1:3] in readable}, findings)


def _held(connection: sa.Connection, page: Sequence[sa.RowMapping]) -> dict[_Key, Row]:
    """The rows that the database has of these versions."""
    places = {
        "documents": [row["document_id"] for row in page], "versions": [row["version"] for row in page],
    }  # fmt: skip
    held: dict[_Key, Row] = {
        ("document_version", row["document_id"], row["version"], ()): dict(row) for row in page
    }
    for table, keys in _KEYS.items():
        if keys:
            for found in connection.execute(_OF_VERSIONS[table], places).mappings():
                own = tuple(found[name] for name in keys)
                held[table, found["document_id"], found["version"], own] = dict(found)
    return held


def _made_again(
    row: sa.RowMapping, objects: ObjectStore, findings: Findings
) -> Iterable[tuple[_Key, Row]] | None:
    """The rows that follow from the manifest; ``None`` where it cannot be had."""
    where = f"{row['document_id']}/{row['version']}"
    data = _object(objects, row["manifest_sha256"], where, findings)
    if data is None:
        return None
    try:
        processed = read_manifest(data)
    except LienthongError as error:
        findings.add("manifest_unreadable", where, object=row["manifest_sha256"], error=error.what)
        return None
    document = processed.document
    named = (
        document_id(document.source, document.source_key),
        document.source,
        key_text(document.source_key),
    )
    if named != (row["document_id"], row["source"], row["source_key"]):
        findings.add("manifest_of_another", where, object=row["manifest_sha256"])
        return None
    version = Version(
        str(row["document_id"]),
        row["version"],
        str(row["run_id"]),
        Archived(row["manifest_sha256"], processed),
    )
    return _keyed(
        {
            "document_version": [version_row(version)],
            "attachment": attachment_rows(version),
            "relation": relation_rows(version),
            "handling_step": handling_rows(version),
            "signature_verdict": verdict_rows(version),
        }
    )


def _verifications(
    connection: sa.Connection, objects: ObjectStore, page: Sequence[sa.RowMapping], findings: Findings
) -> Iterator[Verification]:
    places = {
        "documents": [row["document_id"] for row in page], "versions": [row["version"] for row in page],
    }  # fmt: skip
    for row in connection.execute(_CHECKS, places):
        where = f"{row.document_id}/{row.version}"
        data = _object(objects, row.sha256, where, findings)
        if data is None:
            continue
        try:
            check = read_verification(data)
        except LienthongError as error:
            findings.add("manifest_unreadable", where, object=row.sha256, error=error.what)
            continue
        if (check.document, check.version, check.check) != (str(row.document_id), row.version, row.check_no):
            findings.add("manifest_of_another", where, object=row.sha256)
            continue
        yield check


def _check(check: Verification) -> Iterable[tuple[_Key, Row]]:
    aside: list[Row] = [
        {
            "document_id": check.document,
            "version": check.version,
            "check_no": number,
            "position": position,
            "by_check": check.check,
        }
        for number, position in check.set_aside
    ]
    verdicts = check_rows(check.document, check.version, check.check, check.run, check.verdicts)
    return _keyed({"signature_verdict": verdicts, "verdict_set_aside": aside})


def _keyed(rows: Mapping[str, Iterable[Row]]) -> list[tuple[_Key, Row]]:
    keyed: list[tuple[_Key, Row]] = []
    for table, found in rows.items():
        for row in found:
            document, version = row["document_id"], row["version"]
            assert isinstance(document, str)
            assert isinstance(version, int)
            keyed.append(((table, UUID(document), version, tuple(row[name] for name in _KEYS[table])), row))
    return keyed


def _compare(expected: Mapping[_Key, Row], held: Mapping[_Key, Row], findings: Findings) -> None:
    for key in sorted(expected.keys() - held.keys(), key=str):
        findings.add("row_removed", _where(key), table=key[0], detail="")
    for key in sorted(held.keys() - expected.keys(), key=str):
        findings.add("row_added", _where(key), table=key[0], detail="")
    for key in expected.keys() & held.keys():
        differing = [
            name
            for name, value in expected[key].items()
            if _plain(name, value) != _plain(name, held[key][name])
        ]
        if differing:
            findings.add("row_differs", _where(key), table=key[0], detail=", ".join(differing))


def _plain(name: str, value: object) -> object:
    """``value`` in one type, whichever way it came: made again (as ``copy_rows`` takes it), or from the database."""
    if isinstance(value, UUID):
        return str(value)
    if name in _JSON:
        return json.loads(value) if isinstance(value, str) else value
    if isinstance(value, tuple | list):
        return [column_text(text) for text in value]
    return column_text(value) if isinstance(value, str) else value


def _where(key: _Key) -> str:
    return "/".join(str(part) for part in (key[1], key[2], *key[3]))


def _object(objects: ObjectStore, sha256: str, where: str, findings: Findings) -> bytes | None:
    try:
        with objects.open(sha256) as stream:
            data = stream.read()
    except (RetriableError, ConfigurationError):
        raise  # the whole store: nothing is known of this object
    except LienthongError:
        findings.add("manifest_missing", where, object=sha256)
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        findings.add("manifest_changed", where, object=sha256)
        return None
    return data


def audited_share(connection: sa.Connection, most: int, night: int) -> Share:
    """The share of night number ``night`` when at most about ``most`` versions are to be compared."""
    versions = connection.scalar(sa.text("SELECT count(*) FROM archive.document_version")) or 0
    parts = max(1, -(-versions // most))
    return Share(parts, night % parts)


_VERSIONS = sa.text(
    """SELECT v.*, d.source, d.source_key FROM archive.document_version v
    JOIN archive.document d ON d.id = v.document_id
    WHERE (v.document_id, v.version) > (:document, :version)
      AND NOT EXISTS (SELECT FROM archive.disposed_version x WHERE x.document_id = v.document_id)
      AND (get_byte(uuid_send(v.document_id), 14) * 256 + get_byte(uuid_send(v.document_id), 15)) % :parts = :rest
    ORDER BY v.document_id, v.version LIMIT :limit"""
)
_OF_VERSIONS = {
    table: sa.text(
        f"""SELECT t.* FROM unnest(CAST(:documents AS uuid[]), CAST(:versions AS int[])) AS p(document_id, version)
        JOIN archive.{table} t USING (document_id, version)"""  # noqa: S608 - constants of this module
    )
    for table in _KEYS
}
_CHECKS = sa.text(
    """SELECT t.document_id, t.version, t.check_no, t.sha256
    FROM unnest(CAST(:documents AS uuid[]), CAST(:versions AS int[])) AS p(document_id, version)
    JOIN archive.verification t USING (document_id, version) ORDER BY 1, 2, 3"""
)
