"""Asking a time-stamping authority (RFC 3161 over HTTP, §3.4) to stamp an anchor."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from typing import cast

from asn1crypto import tsp
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper

from archive.anchor_tokens import judge_stamp
from archive.anchors import Stamp
from archive.audit_anchors import StampedAnchor
from schemas.errors import RetriableError

_TIMEOUT = 30


def stamp_by(url: str, login: str = "", password: str = "") -> Stamp:
    """What asks the authority at ``url``, with HTTP basic authentication where there is a login.

    The function that it returns raises ``RetriableError`` when the authority does not answer, refuses, or answers with
    a token that is over something else or does not hold. Who vouches for the authority is left to the audit.
    """
    auth = (login, password) if login else None

    def stamp(record: bytes) -> bytes:
        stamper = RequestsHTTPTimeStamper(url, timeout=_TIMEOUT, auth=auth)
        nonce, request = stamper.request_cms(hashlib.sha256(record).digest(), "sha256")
        try:
            response = asyncio.run(stamper.async_request_tsa_response(request))
            reply = cast(bytes, response.dump())
        except Exception as error:  # whatever a foreign server's answer provokes must not stop the anchoring
            raise _failed(url, f"{type(error).__name__}: {error}") from error
        judged = judge_stamp(StampedAnchor(0, record, reply), None, datetime.now(UTC)).judged
        if not judged.matches:
            raise _failed(url, judged.message)
        if _nonce(response) != nonce:
            raise _failed(url, "the answer belongs to another request")
        return reply

    return stamp


def _nonce(response: tsp.TimeStampResp) -> object:
    content = response["time_stamp_token"]["content"]["encap_content_info"]["content"]
    return content.parsed["nonce"].native


def _failed(url: str, why: str) -> RetriableError:
    return RetriableError(
        f"the time-stamping authority gave no time-stamp: {why}",
        where=url.partition("?")[0],
        action="the anchor stands without it; the next anchor, which covers this one, asks again",
    )
