"""The shared fields that a mapping may fill, and the transform that each has unless the mapping names
another."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ORGAN = {
    "name": "organ",
    "organ_id": "code",
    "in_charge": "line",
    "address": "line",
    "email": "line",
    "telephone": "line",
    "fax": "line",
    "website": "line",
}

SINGLE: Mapping[str, str] = MappingProxyType(
    {
        "uid": "code",
        "number": "code",
        "notation": "notation",
        "year": "integer",
        "symbol": "symbol",
        "issued_date": "date",
        "issued_place": "line",
        **{f"issuer.{part}": transform for part, transform in _ORGAN.items()},
        "type_name": "line",
        "type_code": "code",
        "subject": "line",
        "abstract": "text",
        "body": "text",
        "language": "line",
        "urgency": "urgency",
        "use_regime": "line",
        "arrival_number": "code",
        "arrival_date": "date",
        "due_date": "date",
        "page_count": "integer",
        "copy_count": "integer",
        "typer_notation": "line",
        "steering_type": "line",
        "business_type": "business_type",
        "status_code": "status",
        "file_code": "line",
        "file_title": "line",
        "retention": "retention",
        "term": "line",
        "copy_kind": "line",
        "confidence": "line",
        "condition": "line",
        "autograph": "text",
        "note": "text",
        "created_at": "datetime",
        "modified_at": "datetime",
    }
)
"""Fields with one value."""

LISTS: Mapping[str, str] = MappingProxyType(
    {"to_places": "list", "appendixes": "list", "keywords": "semicolon_list"}
)
"""Fields with a list of texts."""

GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "recipients": _ORGAN,
        "signers": {"full_name": "person_name", "position": "line", "competence": "line"},
        "trace": {
            "organ_id": "code",
            "moment": "datetime",
            "staff": "person_name",
            "status_code": "status",
            "text": "text",
        },
        "relations": {
            "kind": "line",
            "uid": "code",
            "number": "code",
            "notation": "notation",
            "symbol": "symbol",
            "issued_date": "date",
            "organ_id": "code",
            "reason": "line",
            "effective": "date",
        },
    }
)
"""Repeated groups and their parts; a mapping fills them with ``each``."""

TEXTS_OF_TITLE = frozenset(
    {
        "subject",
        "abstract",
        "note",
        "number",
        "notation",
        "symbol",
        "use_regime",
        "type_name",
        "file_title",
        "keywords",
    }
)
"""Fields whose text is a title or a remark, where a doubtful word of secrecy counts."""


def transform_of(name: str, group: str | None = None) -> str:
    """The transform that the shared field ``name`` (of ``group``) has by default; raises ``KeyError`` if
    there is none."""
    if group is not None:
        return GROUPS[group][name]
    return SINGLE[name] if name in SINGLE else LISTS[name]
