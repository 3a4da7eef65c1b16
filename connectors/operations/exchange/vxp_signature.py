"""The signed headers of the VXP exchange (XRoad), as its SDK 2.0.1 sends them.

Every parameter travels as a header ``XroadVnpt-<name>``. ``sign-header-key`` names the signed ones in order,
``sign-header`` repeats them as compact JSON in that order, and ``hash-header`` is the HMAC-SHA256 of that text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from connectors.operations.moments import LOCAL

PREFIX = "XroadVnpt-"
CONTENT_TYPE = "Content-Type"
VERSION = "3.0.201608"
USER_AGENT = "JAVASDKAgent/1.0.0 XRoad/VPCP"

Headers = tuple[tuple[str, str], ...]


def signed_headers(fields: Sequence[tuple[str, str]], secret: str) -> Headers:
    """The headers of a request, in the SDK's order.

    Args:
        fields: (name without prefix, value) of what is signed, in order. ``Content-Type`` is also sent without prefix.
        secret: shared with the exchange; UTF-8.
    """
    prefixed = [(PREFIX + name, value) for name, value in fields]
    text = json.dumps(dict(prefixed), ensure_ascii=False, separators=(",", ":"))
    headers: list[tuple[str, str]] = []
    for name, value in fields:
        if name == CONTENT_TYPE:
            headers.append((CONTENT_TYPE, value))
        headers.append((PREFIX + name, value))
    return (
        *headers,
        (PREFIX + "sign-header-key", ";".join(name for name, _ in fields)),
        (PREFIX + "sign-header", text),
        (PREFIX + "hash-header", header_hash(text, secret)),
        ("User-Agent", USER_AGENT),
        (PREFIX + "version", VERSION),
    )


def header_hash(text: str, secret: str) -> str:
    """HMAC-SHA256 of the text of ``sign-header``, in lower-case hexadecimal."""
    return hmac.new(secret.encode("utf-8"), text.encode("utf-8"), hashlib.sha256).hexdigest()


def timestamp(moment: datetime) -> str:
    """``22112026T120213+0548``: Vietnamese time; what looks like an offset are milliseconds."""
    local = moment.astimezone(LOCAL)
    return f"{local:%d%m%YT%H%M%S}+{local.microsecond // 1000:04d}"


def read_timestamp(text: str) -> datetime | None:
    """The moment that ``timestamp`` wrote; ``None`` for any other text."""
    whole, plus, milliseconds = text.partition("+")
    if not plus or len(milliseconds) != 4 or not milliseconds.isdecimal():
        return None
    try:
        moment = datetime.strptime(whole, "%d%m%YT%H%M%S").replace(tzinfo=LOCAL)
    except ValueError:
        return None
    return moment.replace(microsecond=int(milliseconds) % 1000 * 1000)
