"""``api/data`` of the Domino simulator: the Domino Data Service that 8.5.3 Upgrade Pack 1 brought, reading only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from demo.domino_database import LOCAL, StoredDocument
from demo.domino_views import Value, View

_DEFAULT_COUNT = 10
_MOST = 100


class NotServedError(Exception):
    """The data service knows no such resource."""


def data_service(
    path: Sequence[str],
    base: str,
    query: Mapping[str, str],
    documents: Sequence[StoredDocument],
    views: Mapping[str, View],
) -> tuple[bytes, dict[str, str]]:
    """Body (JSON) and headers for the resource ``path`` below ``api/data``; ``base`` is the path of the database.

    ``documents`` are those that the account may read.

    Raises:
        NotServedError: there is no such resource, or no such document.
    """
    match [part.lower() for part in path]:
        case ["collections"]:
            found: object = [
                {"@title": view.name, "@view": True, "@href": f"{base}/api/data/collections/name/{view.name}"}
                for view in views.values()
            ]
            return _printed(found), {}
        case ["collections", "name", name] if name in views and not views[name].hidden:
            return _entries(views[name], base, query, documents)
        case ["documents"]:
            since = _moment(query["since"]) if "since" in query else None
            changed = [item for item in documents if since is None or item.note.modified >= since]
            return _printed([_summary(item, base) for item in changed]), {}
        case ["documents", "unid", unid]:
            for item in documents:
                if item.unid == unid.upper():
                    return _printed(_summary(item, base) | _document(item, base)), {}
    raise NotServedError("/".join(path))


def _entries(
    view: View, base: str, query: Mapping[str, str], documents: Sequence[StoredDocument]
) -> tuple[bytes, dict[str, str]]:
    ordered = sorted(documents, key=lambda item: (str(view.columns[0].value(item)), item.note.note_id))
    size = min(int(query.get("ps", query.get("count", _DEFAULT_COUNT))), _MOST)
    start = int(query["start"]) if "start" in query else int(query.get("page", "0")) * size
    page = ordered[start : start + size]
    entries = [
        {
            "@href": f"{base}/api/data/collections/name/{view.name}/unid/{item.unid}",
            "@link": {"rel": "document", "href": f"{base}/api/data/documents/unid/{item.unid}"},
            "@entryid": f"{number}-{item.unid}",
            "@unid": item.unid,
            "@noteid": f"{item.note.note_id:X}",
            "@position": str(number),
            "@siblings": len(ordered),
            "@form": item.note.form,
            **{column.name: _value(column.value(item)) for column in view.columns},
        }
        for number, item in enumerate(page, start + 1)
    ]
    last = start + len(page) - 1
    return _printed(entries), {"Content-Range": f"items {start}-{max(last, start)}/{len(ordered)}"}


def _summary(item: StoredDocument, base: str) -> dict[str, object]:
    return {
        "@modified": _iso(item.note.modified),
        "@unid": item.unid,
        "@href": f"{base}/api/data/documents/unid/{item.unid}",
    }


def _document(item: StoredDocument, base: str) -> dict[str, object]:
    files = [
        {
            "contentType": f'application/octet-stream; name="{file.name}"',
            "contentDisposition": f'attachment; filename="{file.name}"',
            "data": f"{base}/0/{item.unid}/$FILE/{file.name}",
        }
        for file in item.attachments
    ]
    return {
        "@noteid": f"{item.note.note_id:X}",
        "@created": _iso(item.note.created),
        "@authors": item.note.updated_by,
        "@form": item.note.form,
        "TrichYeu": item.subject,
        "NoiDung": {"type": "multipart", "content": files},
    }


def _value(value: Value) -> object:
    if isinstance(value, datetime):
        return _iso(value)
    return list(value) if isinstance(value, tuple) else value


def _iso(local: datetime) -> str:
    return f"{local - (LOCAL.utcoffset(None) or timedelta()):%Y-%m-%dT%H:%M:%SZ}"


def _moment(printed: str) -> datetime:
    """The local moment of an ISO 8601 moment in UTC."""
    return datetime.fromisoformat(printed).astimezone(LOCAL).replace(tzinfo=None)


def _printed(found: object) -> bytes:
    return json.dumps(found, ensure_ascii=False, indent=2).encode("utf-8")
