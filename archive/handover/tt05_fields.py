"""The fields of Circular 05/2025/TT-BNV for a handed-over dossier, a lot of documents, and a document.

Annexes III (``SIP_hoso``) and IV (``SIP_tailieu``). Codes are looked up from the names that records use, here at
export and nowhere else. A value longer than the Circular's limit is kept whole and a ``Notice`` tells it; a field
that nobody filled stays empty, and a ``Notice`` tells it where the Circular requires one.

The annexes were at hand only as other people describe them; where the descriptions differ (``typeName`` 04 to 06),
``schemas/vocabularies/document_types.yaml`` says which was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from archive.handover.register_entries import day_text
from archive.holdings import DossierView
from mappings.vietnamese import fold
from schemas.document import Direction, OfficialDocument
from schemas.vocabulary import document_types, retentions


@dataclass(frozen=True, slots=True)
class Rule:
    """What the Circular says of a field: its name, most characters, and whether it must be filled."""

    name: str
    longest: int | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a field that its receiver should know.

    Attributes:
        field: its name in the Circular.
        code: ``too_long``, ``missing`` or ``no_code`` (the Circular has no code for what the record says).
        message: in Vietnamese, for the person who hands over.
    """

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Filled fields in the Circular's order, and what is to be said of them."""

    values: Mapping[str, str]
    notices: tuple[Notice, ...]


DOSSIER_RULES = (
    Rule("fileCode", 100, True),
    Rule("title", 1000, True),
    Rule("maintenance", 100, True),
    Rule("mode", 30, True),
    Rule("language", 100, True),
    Rule("startDate", None, True),
    Rule("endDate", None, True),
    Rule("keyword", 100),
    Rule("totalDoc", 10, True),
    Rule("numberOfPaper", 10),
    Rule("numberOfPage", 10, True),
    Rule("format", 50),
    Rule("inforSign", 30),
    Rule("confidenceLevel", 40),
    Rule("paperFileCode", 100),
    Rule("riskRecovery", 1, True),
    Rule("riskRecoveryStatus", 2),
    Rule("description", 2000),
)
"""Annex III: 18 fields of a dossier."""

LOT_RULES = (
    Rule("fileCode", 100, True),
    Rule("title", 1000, True),
    Rule("source", 1, True),
    Rule("totalDoc", 10, True),
    Rule("description", 2000),
)
"""Annex IV: 5 fields of a lot of documents without a dossier."""

DOCUMENT_RULES = (
    Rule("docId", 25, True),
    Rule("docCode", 100, True),
    Rule("maintenance", 100, True),
    Rule("typeName", 10, True),
    Rule("codeNumber", 11),
    Rule("codeNotation", 30),
    Rule("issuedDate", None, True),
    Rule("organName", 200, True),
    Rule("subject", 500, True),
    Rule("language", 100, True),
    Rule("numberOfPage", 4, True),
    Rule("inforSign", 30),
    Rule("keyword", 100),
    Rule("mode", 20, True),
    Rule("confidenceLevel", 30),
    Rule("autograph", 2000),
    Rule("format", 50),
    Rule("process", 1),
    Rule("riskRecovery", 1, True),
    Rule("riskRecoveryStatus", 2),
    Rule("description", 500),
)
"""Annexes III and IV: 21 fields of a document of text."""

_LANGUAGES = {
    "tieng viet": "01", "viet": "01", "vi": "01", "vie": "01", "vi-vn": "01", "tieng anh": "02", "en": "02",
    "tieng phap": "03", "fr": "03", "tieng nga": "04", "ru": "04", "tieng trung": "05", "tieng trung quoc": "05",
    "zh": "05", "viet anh": "06", "viet nga": "07", "viet phap": "08", "han nom": "09", "viet trung": "10",
}  # fmt: skip
_MODES = {
    "cong khai": "01", "rong rai": "01", "su dung rong rai": "01", "su dung co dieu kien": "02",
    "co dieu kien": "02", "tiep can co dieu kien": "02", "han che": "02", "han che su dung": "02",
}  # fmt: skip
_MODE_OF_CLASS = {"open": "01", "conditional": "02", "personal": "02"}
_CONFIDENCE = {
    "goc dien tu": "01", "ban goc dien tu": "01", "so hoa": "02", "ban so hoa": "02", "hon hop": "03",
}  # fmt: skip
_CONDITIONS = {"tot": "01", "binh thuong": "02", "hong": "03", "hu hong": "03"}
_RECOVERY_STATES = {
    "da du phong": "01",
    "chua du phong": "02",
    "da": "01",
    "chua": "02",
    "01": "01",
    "02": "02",
}
_OTHER_LANGUAGE, _OTHER_TYPE, _OTHER_RETENTION = "11", "32", "07"


class _Form:
    """Fills the fields of one form and collects the notices."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = {rule.name: rule for rule in rules}
        self._values: dict[str, str] = dict.fromkeys(self._rules, "")
        self._notices: list[Notice] = []

    def put(self, name: str, value: str | int | date | None) -> None:
        self._values[name] = (
            day_text(value) if isinstance(value, date) else "" if value is None else str(value)
        )

    def code(self, name: str, words: str | None, codes: Mapping[str, str], other: str = "") -> None:
        """The code for ``words``; ``other``, or nothing, where the Circular has none, and a notice."""
        if not words or not words.strip():
            return
        plain = fold(words).strip()
        found = plain if plain in codes.values() else codes.get(plain)
        if found is None:
            self._notices.append(
                Notice(name, "no_code", f"{name}: thông tư không có mã cho “{words.strip()[:80]}”")
            )
        self.put(name, found or other)

    def finish(self, condition: Mapping[str, bool] = MappingProxyType({})) -> Fields:
        """The fields; ``condition``: fields that are required here and now."""
        for name, rule in self._rules.items():
            value = self._values[name]
            if rule.longest is not None and len(value) > rule.longest:
                message = f"{name}: {len(value)} ký tự, thông tư cho tối đa {rule.longest}; giữ nguyên văn"
                self._notices.append(Notice(name, "too_long", message))
            if not value and (rule.required or condition.get(name)):
                message = f"{name}: bắt buộc, nhưng không nguồn nào cho biết; để trống"
                self._notices.append(Notice(name, "missing", message))
        return Fields(MappingProxyType(self._values), tuple(self._notices))


def dossier_fields(dossier: DossierView, documents: int, pages: int | None) -> Fields:
    """The 18 fields of a dossier, of which ``documents`` are in the package.

    ``pages`` are counted from the documents where the dossier itself does not say.
    """
    form = _Form(DOSSIER_RULES)
    form.put("fileCode", dossier.code)
    form.put("title", dossier.title)
    form.code("maintenance", dossier.retention, _retention_codes(), _OTHER_RETENTION)
    form.code("mode", dossier.mode, _MODES)
    form.code("language", dossier.language, _LANGUAGES, _OTHER_LANGUAGE)
    form.put("startDate", dossier.start_date)
    form.put("endDate", dossier.end_date)
    form.put("keyword", "; ".join(dossier.keywords))
    form.put("totalDoc", documents)
    form.put("numberOfPaper", dossier.paper_count)
    form.put("numberOfPage", dossier.page_count if dossier.page_count is not None else pages)
    form.code("format", dossier.condition, _CONDITIONS)
    form.put("inforSign", dossier.information_sign)
    form.code("confidenceLevel", dossier.confidence, _CONFIDENCE)
    form.put("paperFileCode", dossier.paper_code)
    form.put("riskRecovery", None if dossier.risk_recovery is None else int(dossier.risk_recovery))
    form.code("riskRecoveryStatus", dossier.risk_recovery_status, _RECOVERY_STATES)
    form.put("description", "; ".join(filter(None, (dossier.creator, dossier.note))))
    digitised = bool(dossier.confidence) and fold(dossier.confidence or "").strip() in ("so hoa", "02")
    return form.finish({"paperFileCode": digitised, "riskRecoveryStatus": bool(dossier.risk_recovery)})


def lot_fields(title: str, directions: Iterable[Direction], documents: int) -> Fields:
    """The 5 fields of a lot; ``source`` only where all its documents came in, or all went out.

    ``fileCode`` numbers the submissions of an organ to its archive, of which no record tells.
    """
    form = _Form(LOT_RULES)
    form.put("title", title)
    form.put("source", {Direction.OUTGOING: "0", Direction.INCOMING: "1"}.get(_one(directions)))
    form.put("totalDoc", documents)
    return form.finish()


def document_fields(
    document: OfficialDocument,
    identity: str,
    ordinal: int,
    *,
    dossier: DossierView | None = None,
    access: str | None = None,
    retention: str | None = None,
) -> Fields:
    """The 21 fields of a document.

    Args:
        document: what its current version says.
        identity: its identity in the archive, for ``docId`` where neither dossier nor source gives one.
        ordinal: its place in the package, from 1.
        dossier: the one that is handed over with it.
        access: its class in the archive, for ``mode`` where the record names none.
        retention: how long the archive keeps it (``archive.retention.kept``); ``None`` where nobody says.
    """
    form = _Form(DOCUMENT_RULES)
    file_code = (dossier.code if dossier else None) or document.file_code
    form.put("docId", f"{file_code}.{ordinal}" if dossier and file_code else document.uid or identity)
    form.put("docCode", f"{file_code}.{ordinal:07d}" if file_code else None)
    kept_for = retention or (dossier.retention if dossier else None)
    form.code("maintenance", kept_for, _retention_codes(), _OTHER_RETENTION)
    form.code("typeName", document.type_name, _type_codes(document.type_code), _OTHER_TYPE)
    form.put("codeNumber", document.number)
    form.put("codeNotation", document.notation)
    form.put("issuedDate", document.issued_date)
    form.put("organName", document.issuer.name if document.issuer else None)
    form.put("subject", document.subject)
    language = document.language or (dossier.language if dossier else None)
    form.code("language", language, _LANGUAGES, _OTHER_LANGUAGE)
    form.put("numberOfPage", document.page_count)
    form.put("keyword", "; ".join(document.keywords))
    if access in _MODE_OF_CLASS and access != "open":
        form.put("mode", _MODE_OF_CLASS[access])  # the archive's own class is never told looser than it is
    elif document.use_regime:
        form.code("mode", document.use_regime, _MODES)
    elif access is not None:
        form.put("mode", _MODE_OF_CLASS.get(access))
    form.code("confidenceLevel", document.confidence, _CONFIDENCE)
    form.put("autograph", document.autograph)
    form.code("format", document.condition, _CONDITIONS)
    form.put("process", "1" if document.trace else "0")
    if dossier is not None and dossier.risk_recovery is not None:
        form.put("riskRecovery", int(dossier.risk_recovery))
        form.code("riskRecoveryStatus", dossier.risk_recovery_status, _RECOVERY_STATES)
    form.put("description", document.note)
    return form.finish({"riskRecoveryStatus": bool(dossier and dossier.risk_recovery)})


def _one(directions: Iterable[Direction]) -> Direction:
    found = set(directions)
    return found.pop() if len(found) == 1 else Direction.UNKNOWN


def _retention_codes() -> dict[str, str]:
    return {fold(name): term.tt05 for term in retentions() if term.tt05 for name in (term.name, *term.words)}


def _type_codes(code: str | None) -> dict[str, str]:
    """Codes by name; where a name has several, that of the type ``code`` wins."""
    types = sorted(document_types(), key=lambda term: term.code == code)
    return {fold(name): term.tt05 for term in types for name in (term.name, *term.words)}
