"""What the agent ``LienthongExport`` prints, by the protocol in ``connectors/lotus_notes/agent/README.md``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.sax.saxutils import quoteattr

from demo.domino_database import LOCAL, NotesDatabase, StoredDocument
from demo.dxl import NAMESPACE, broken_in_tags, element_start, file_item, moment

_UNKNOWN = "-"
LOOKED_AT = 1000
MOST_LOOKED_AT = 5000
MOST_EXPORTED = 50
FORMS = "FORMS"
_DATETIME = slice(len("<datetime>"), -len("</datetime>"))


@dataclass(slots=True)
class Agent:
    """The export agent of one database.

    Attributes:
        lists_hidden: this server lets an account see that documents exist which it may not read.
        failing: what the exporter says of a document that it cannot export, by UNID.
        says_charset: prints its own content type; a careless agent does not, and is sent as ISO-8859-1.
    """

    database: NotesDatabase
    lists_hidden: bool = False
    failing: Mapping[str, str] = field(default_factory=dict)
    says_charset: bool = True

    def answer(self, query: Mapping[str, str], account: str, now: datetime) -> tuple[str, bytes]:
        """Content type and body for the parameters ``query``; ``now`` is local."""
        kind, text = self._printed(query, account, now)
        if self.says_charset:
            return f"{kind}; charset=utf-8", text.encode("utf-8")
        return "text/html; charset=ISO-8859-1", text.encode("latin-1", "replace")

    def _printed(self, query: Mapping[str, str], account: str, now: datetime) -> tuple[str, str]:
        command = query.get("cmd", "")
        try:
            if command == "list":
                return "text/plain", self._list(query, account, now)
            if command == "export":
                return "text/xml", self._export(query.get("unid", "").split(","), account, now)
            if command == "forms":
                return "text/xml", self._envelope([self._forms()], now)
        except ValueError as error:
            return "text/plain", f"ERROR\t{error}\n"
        return "text/plain", f"ERROR\tunknown cmd: {command}\n"

    def _list(self, query: Mapping[str, str], account: str, now: datetime) -> str:
        count = int(query.get("count", LOOKED_AT))
        if not 0 < count <= MOST_LOOKED_AT:
            count = MOST_LOOKED_AT
        after = int(query.get("after", "0"), 16)
        since = _since(query["since"]) if "since" in query else None
        waiting = [found for found in self.database.all() if found.note.note_id > after]
        looked_at = waiting[:count]
        rows = [
            _row(found, found.readable_by(account))
            for found in looked_at
            if (self.lists_hidden or found.readable_by(account))
            # Of what the account may not read the agent knows no date.
            and (
                since is None
                or not found.readable_by(account)
                or max(found.note.modified, found.note.added) >= since
            )
        ]
        cursor = f"{looked_at[-1].note.note_id:X}" if len(waiting) > count else _UNKNOWN
        head = ("LIENTHONG", "1", "list", self.database.replica_id, _utc(now))
        lines = [head, *rows, ("END", str(len(rows)), cursor)]
        return "".join("\t".join(line) + "\r\n" for line in lines)

    def _export(self, unids: Collection[str], account: str, now: datetime) -> str:
        if not 0 < len(unids) <= MOST_EXPORTED or any(len(unid) != 32 for unid in unids):
            raise ValueError(f"unid: 1 to {MOST_EXPORTED} UNIDs of 32 digits")
        return self._envelope([self._entry(unid.upper(), account) for unid in unids], now)

    def _envelope(self, entries: Sequence[str], now: datetime) -> str:
        facts = {"version": "1", "replicaid": self.database.replica_id, "now": _utc(now)}
        return "\n".join(
            [
                "<?xml version='1.0' encoding='utf-8'?>",
                element_start("lienthong", facts),
                *entries,
                f"<end entries='{len(entries)}'/>",
                "</lienthong>",
                "",
            ]
        )

    def _forms(self) -> str:
        facts = element_start("entry", {"unid": FORMS, "status": "ok"})
        return "\n".join([facts, self._dxl("\n".join(self.database.forms)), "</entry>"])

    def _dxl(self, inside: str) -> str:
        root = {
            "xmlns": NAMESPACE,
            "version": "8.5",
            "maintenanceversion": "3.0",
            "replicaid": self.database.replica_id,
            "path": self.database.path.replace("/", "\\"),
            "title": self.database.title,
        }
        printed = broken_in_tags(f"{element_start('database', root)}\n{inside}</database>")
        return f"<dxl>\n{printed}\n</dxl>"

    def _entry(self, unid: str, account: str) -> str:
        found = self.database.get(unid)
        if found is None:
            return _refusal(unid, "gone", "Invalid universal id")
        if not found.readable_by(account):
            return _refusal(unid, "denied", "You are not authorized to perform that operation")
        if unid in self.failing:
            return _refusal(unid, "error", self.failing[unid])
        facts = {
            "unid": unid,
            "status": "ok",
            "noteid": f"{found.note.note_id:X}",
            "attachments": str(len(found.attachments)),
        }
        inline = tuple(file_item(file.name, file.data, found.note.created) for file in found.attachments)
        if found.objects:
            facts["files"] = "inline"
        sizes = (
            f"<attachment name={quoteattr(file.name)} size='{len(file.data)}'/>" for file in found.attachments
        )
        body = found.dxl((*inline, *found.objects) if found.objects else ())
        return "\n".join([element_start("entry", facts), *sizes, self._dxl(body), "</entry>"])


def _row(found: StoredDocument, readable: bool) -> tuple[str, ...]:
    note = found.note
    if not readable:
        return (note.unid, f"{note.note_id:X}", *[_UNKNOWN] * 5, "0")
    moments = (
        moment(value)[_DATETIME] for value in (note.created, note.modified, note.last_edit, note.added)
    )
    return (note.unid, f"{note.note_id:X}", str(note.sequence), *moments, "1")


def _refusal(unid: str, status: str, message: str) -> str:
    return element_start("entry", {"unid": unid, "status": status, "message": message})[:-1] + "/>"


def _since(printed: str) -> datetime:
    """The local moment of ``YYYYMMDDThhmmssZ``."""
    utc = datetime.strptime(printed, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - made local below
    return utc + (LOCAL.utcoffset(None) or timedelta())


def _utc(local: datetime) -> str:
    return f"{local - (LOCAL.utcoffset(None) or timedelta()):%Y%m%dT%H%M%S},00Z"
