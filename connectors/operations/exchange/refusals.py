"""How services say no in an answer, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from connectors.operations.exchange.json_reply import Json, get, text_of

Recovery = Literal["fatal", "retriable", "record", "unknown"]
"""A person must act; the same request may succeed later; this message cannot be had; nobody knows."""

_CODES = ("ErrorCode", "code")
_TEXTS = ("ErrorDesc", "message", "desc", "description", "error")
_GOOD_CODES = frozenset({"", "0", "00", "200"})
_BAD_STATUSES = frozenset({"fail", "failed", "failure", "error"})

LGSP_CODES: Mapping[str, Recovery] = MappingProxyType(
    {
        "10": "record",  # file hỏng
        "15": "fatal",  # sai SystemId hoặc SecretKey
        "18": "fatal",  # đơn vị nhận không tồn tại
        "19": "fatal",  # đơn vị gửi chưa đăng ký
        "20": "retriable",  # lỗi LGSP
        "21": "record",  # lỗi xử lý file
        "22": "record",  # edXML sai chuẩn
        "23": "fatal",  # đơn vị nhận bị khóa
    }
)
"""Error codes of the provincial LGSP, and what they mean for a reader."""

_OK = 200
_FIRST_ERROR = 400
_BY_HTTP: Mapping[int, Recovery] = MappingProxyType({401: "fatal", 403: "fatal"})
_BY_TEXT: tuple[tuple[Recovery, re.Pattern[str]], ...] = (
    (
        "record",
        re.compile(
            r"not (be )?found|not exist|no such|invalid doc ?id|không tồn tại|không tìm thấy", re.IGNORECASE
        ),
    ),
    (
        "fatal",
        re.compile(
            r"unauthori[sz]ed|forbidden|denied|credential|password|secret|signature|sign-header|hash-header|token"
            r"|timestamp|system ?id|chữ ký|mật khẩu|xác thực|không có quyền|chưa đăng ký",
            re.IGNORECASE,
        ),
    ),
    (
        "retriable",
        re.compile(r"time ?out|too many|busy|overload|try again|maintenance|quá tải|bảo trì", re.IGNORECASE),
    ),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no.

    Attributes:
        code: the service's own, ``""`` when it gives none.
        text: its words, shortened.
        http: the answer's status.
    """

    code: str
    text: str
    http: int = 200

    def recovery(self, codes: Mapping[str, Recovery]) -> Recovery:
        """What can be done: by ``codes`` where they know the code, by HTTP's status, else by the words."""
        if found := self.certain(codes):
            return found
        return next((recovery for recovery, words in _BY_TEXT if words.search(self.text)), "unknown")

    def certain(self, codes: Mapping[str, Recovery]) -> Recovery | None:
        """The same where it is no guess from words; else ``None``."""
        return codes.get(self.code) or _BY_HTTP.get(self.http)

    def __str__(self) -> str:
        parts = (f"HTTP {self.http}" if self.http != _OK else "", self.code, self.text)
        return ": ".join(part for part in parts if part) or "no reason given"


def refusal_in(reply: Json, http: int) -> Refusal | None:
    """The refusal that ``reply``, which came with the status ``http``, is; ``None`` for an answer that says yes."""
    inner = get(reply, "data")
    code = _first(reply, _CODES) or _first(inner, _CODES)
    status = text_of(get(reply, "status")).lower()
    said_no = code not in _GOOD_CODES or get(reply, "success") is False or status in _BAD_STATUSES
    if http < _FIRST_ERROR and not said_no:
        return None
    text = _first(inner, _TEXTS) or _first(reply, _TEXTS) or _listed_errors(get(reply, "errors"))
    return Refusal(code, text[:300], http)


def _first(found: Json, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := text_of(get(found, name)))), "")


def _listed_errors(errors: Json) -> str:
    if not isinstance(errors, list):
        return ""
    return "; ".join(
        " ".join(filter(None, (text_of(get(error, "code")), _first(error, _TEXTS)))) for error in errors
    )
