"""Attachments of a document over their ``$FILE`` addresses, compared with what the export agent announced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.lotus_notes.agent_answers import AnnouncedFile, ExportEntry
from connectors.lotus_notes.attachments import OLE_TYPE
from connectors.lotus_notes.domino_addresses import DominoAddresses
from connectors.lotus_notes.domino_session import (
    Answer,
    BrokenAnswerError,
    DominoSession,
    GaveUpError,
    LoginFormError,
    RefusedError,
)
from connectors.lotus_notes.spool import Spool
from schemas.record import Attachment, Content, Defect, Field, SourceRecord, StoredContents
from schemas.service_config import AttachmentLimits

CONTEXT_KEY = "attachments"
"""Key of a record's context: which files came apart from the DXL, as JSON ``[[name, SHA-256, size known], …]``."""

_ITEM = "$FILE"
_MEGABYTE = 1_000_000
_SIZE_TRIES = 3


class FilesError(Exception):
    """The attachments of a record are not all there.

    Attributes:
        reason: snake_case class.
        message: one sentence.
        doubtful: the server, not the record, may be at fault.
    """

    def __init__(self, reason: str, message: str, doubtful: bool = False) -> None:
        self.reason = reason
        self.message = message
        self.doubtful = doubtful
        super().__init__(reason, message)


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """An attachment that came apart from the DXL.

    Attributes:
        name: its internal name, by which rich text refers to it.
        sha256: of its bytes.
        verified: its size is the one announced.
        content: its bytes.
    """

    name: str
    sha256: str
    verified: bool
    content: Content


class DominoFiles:
    """Fetches the attachments of one database."""

    def __init__(self, session: DominoSession, addresses: DominoAddresses, limits: AttachmentLimits) -> None:
        self._session = session
        self._addresses = addresses
        self._limits = limits

    def of(self, entry: ExportEntry) -> list[FetchedFile]:
        """Every attachment that ``entry`` announces.

        Raises:
            FilesError: one is missing, of another size, too many or too large.
            FatalError: as ``DominoSession.get``.
        """
        if entry.announced is not None and entry.announced != len(entry.files):
            raise FilesError(
                "attachment_count_mismatch",
                f"the document has {entry.announced} attachments, and the agent names {len(entry.files)}",
            )
        if entry.inline:
            return []
        if len(entry.files) > self._limits.count:
            raise FilesError(
                "too_many_attachments",
                f"the document has {len(entry.files)} attachments; at most {self._limits.count} are fetched",
            )
        return [self._fetch(entry.unid, file) for file in entry.files]

    def _fetch(self, unid: str, file: AnnouncedFile) -> FetchedFile:
        most = self._limits.megabytes * _MEGABYTE
        if file.size is not None and file.size > most:
            raise FilesError(
                "attachment_too_large",
                f"attachment {file.name!r} has {file.size} bytes; at most {most} are fetched",
            )
        if file.name.strip(".") == "":
            raise FilesError(
                "attachment_name_unusable", f"no address leads to an attachment named {file.name!r}"
            )
        taking = _Taking(file, most)
        address = self._addresses.file(unid, file.name)
        try:
            return self._session.get(address, taking.take)
        except RefusedError as error:
            reason = "attachment_missing" if error.status == 404 else "access_denied"
            raise FilesError(
                reason, f"the server refuses attachment {file.name!r} ({error.status})"
            ) from error
        except LoginFormError as error:
            said = f"the server asks for another account to give attachment {file.name!r}"
            raise FilesError("access_denied", said, doubtful=True) from error
        except GaveUpError as error:
            said = f"attachment {file.name!r} could not be fetched: {error.what}"
            raise FilesError("attachment_unreadable", said, doubtful=True) from error


class _Taking:
    """Reads the answers to one attachment's address; a wrong size is believed when it comes again and again."""

    def __init__(self, file: AnnouncedFile, most: int) -> None:
        self._file = file
        self._most = most
        self._wrong = 0

    def take(self, answer: Answer) -> FetchedFile:
        expected = self._file.size
        spool, digest = Spool(), hashlib.sha256()
        following = answer.pieces(self._most if expected is None else expected)
        while piece := following():
            digest.update(piece)
            spool.write(piece)
        if expected is None and spool.size > self._most:
            said = f"attachment {self._file.name!r} has more than {self._most} bytes"
            raise FilesError("attachment_too_large", said)
        # A saved login page may well be an attachment: the size tells.
        if spool.size != expected and answer.is_login_form:
            raise LoginFormError
        if expected is not None and spool.size != expected:
            self._mismatch(spool.size, expected)
        return FetchedFile(self._file.name, digest.hexdigest(), expected is not None, spool.content())

    def _mismatch(self, size: int, expected: int) -> None:
        self._wrong += 1
        more = "more than " if size > expected else ""
        said = (
            f"attachment {self._file.name!r}: the agent announces {expected} bytes, the server sends {more}"
        )
        said += str(expected if more else size)
        if self._wrong >= _SIZE_TRIES:
            raise FilesError("attachment_size_mismatch", said)
        raise BrokenAnswerError(said)


def context_of(files: Sequence[FetchedFile]) -> str:
    """What the context remembers of them."""
    return json.dumps([[file.name, file.sha256, file.verified] for file in files], ensure_ascii=False)


def remembered(text: str, stored: StoredContents) -> list[FetchedFile]:
    """The inverse of ``context_of``, the bytes from the archive.

    Raises:
        FilesError: the archive lacks one, or ``text`` is no such context.
    """
    files = []
    try:
        for name, sha256, verified in json.loads(text):
            content = stored(str(sha256))
            if content is None:
                raise FilesError("attachment_not_stored", f"the archive has no bytes of attachment {name!r}")
            files.append(FetchedFile(str(name), str(sha256), bool(verified), content))
    except (ValueError, TypeError) as error:
        raise FilesError(
            "context_invalid", "the context does not say which attachments came apart"
        ) from error
    return files


def attachments_of(record: SourceRecord, files: Sequence[FetchedFile]) -> tuple[Attachment, ...]:
    """``files`` as attachments, under the names that a reader of the document sees."""
    shown = {
        mark.attributes.get("name", ""): mark.attributes["displayname"]
        for mark in _marks(record.fields, "attachmentref")
        if mark.attributes.get("displayname")
    }
    return tuple(
        Attachment(
            name=shown.get(file.name, file.name),
            content=file.content,
            item=_ITEM,
            defects=() if file.verified else ("size_unverified",),
        )
        for file in files
    )


def check_inline(record: SourceRecord, entry: ExportEntry) -> None:
    """Compare the attachments in the DXL with those announced.

    Raises:
        FilesError: one that is announced is not there in its size, or an embedded object has no bytes.
    """
    carried = [
        file.content.size
        for file in record.attachments
        if file.item == _ITEM and file.declared_type != OLE_TYPE
    ]
    if entry.inline:
        for file in entry.files:
            if file.size is None:
                continue
            if file.size not in carried:
                said = f"attachment {file.name!r} of {file.size} bytes is announced and not in the DXL"
                raise FilesError("attachment_size_mismatch", said)
            carried.remove(file.size)
    objects = {file.name for file in record.attachments}
    for mark in _marks(record.fields, "objectref"):
        name = mark.attributes.get("name", "")
        if name and name not in objects:
            raise FilesError(
                "ole_object_missing", f"the bytes of the embedded object {name!r} are not in the DXL"
            )


def dangling(record: SourceRecord, files: Sequence[FetchedFile]) -> tuple[Defect, ...]:
    """Places in rich text that show an attachment which the document does not have."""
    known = {file.name for file in files} | {file.name for file in record.attachments}
    return tuple(
        Defect(
            "attachment_reference_dangling", f"the text shows attachment {name!r}, which the document lacks"
        )
        for mark in _marks(record.fields, "attachmentref")
        if (name := mark.attributes.get("name", ""))
        and name not in known
        and mark.attributes.get("displayname", name) not in known
    )


def _marks(fields: Sequence[Field], name: str) -> Iterator[Field]:
    """Parts of rich text of that name, at any depth."""
    for field in fields:
        for part in field.children:
            if part.name == name:
                yield part
        yield from _marks(field.children, name)
