"""The messages that the simulated exchange services hold: packages in a folder, and a list of them beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.operations.element_path import first_text
from connectors.operations.identity import STATUS, identify
from connectors.operations.moments import LOCAL
from connectors.operations.scan import Refusal, scan
from schemas.record import FileContent

LIST = "mailbox.json"

_FIRST_NUMBER = 510_000
_SOME_DAY = "2021/06/01 08:00:00"


@dataclass(frozen=True, slots=True)
class Message:
    """A message on the exchange.

    Attributes:
        id: the exchange's own identity of it.
        kind: ``edoc`` or ``status``.
        sender, receiver: codes of organs.
        created: when the exchange took it over, Vietnamese time as ``yyyy/MM/dd HH:mm:ss``.
        file: name of the package in the folder.
        status: how far its transport is.
        sent: the office itself sent it.
    """

    id: str
    kind: str
    sender: str
    receiver: str
    created: str
    file: str
    status: str = "initial"
    sent: bool = False


class ExchangeFolder:
    """A folder of packages with its list; read anew at each question.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, messages: Iterable[tuple[Message, bytes]]) -> None:
        """Put the packages and their list there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        listed = []
        for message, package in messages:
            (self.folder / message.file).write_bytes(package)
            listed.append(asdict(message))
        text = json.dumps(listed, ensure_ascii=False, indent=1)
        (self.folder / LIST).write_text(text + "\n", encoding="utf-8")

    def messages(self, kind: str = "", sent: bool = False) -> list[Message]:
        """What is there of that kind, in the order of the list."""
        try:
            listed = json.loads((self.folder / LIST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        found = [Message(**entry) for entry in listed]
        return [message for message in found if kind in ("", message.kind) and message.sent == sent]

    def between(self, kind: str, first: str, last: str, sent: bool = False) -> list[Message]:
        """Those created on days from ``first`` to ``last`` (``yyyy/MM/dd``, both included; ``""`` for no limit)."""
        return [
            message
            for message in self.messages(kind, sent)
            if (not first or message.created[:10] >= first) and (not last or message.created[:10] <= last)
        ]

    def package(self, identity: str) -> bytes | None:
        """The bytes of a message; ``None`` when there is none of that identity, or its file is gone."""
        for message in [*self.messages(), *self.messages(sent=True)]:
            if message.id == identity:
                try:
                    return (self.folder / message.file).read_bytes()
                except FileNotFoundError:
                    return None
        return None


def gathered(packages: Path) -> Iterator[tuple[Message, bytes]]:
    """The packages of a drop folder as messages on an exchange, numbered in the order of their paths."""
    paths = sorted(
        path for path in packages.rglob("*") if path.suffix in (".edxml", ".xml") and path.is_file()
    )
    for number, path in enumerate(paths, start=1):
        found = scan(FileContent(path))
        identity = None if isinstance(found, Refusal) else identify(found.fields, found.version)
        sender = "" if isinstance(found, Refusal) else first_text(found.fields, "MessageHeader/From/OrganId")
        created = identity.changed_at if identity else None
        message = Message(
            id=str(_FIRST_NUMBER + number),
            kind=STATUS if identity and identity.kind == STATUS else "edoc",
            sender=sender or "",
            receiver="",
            created=local_text(created) if created else _SOME_DAY,
            file=f"{_FIRST_NUMBER + number}.edxml",
        )
        yield message, path.read_bytes()


def local_text(moment: datetime) -> str:
    """A moment as the exchange prints it; a naive one is Vietnamese time already."""
    local = moment.astimezone(LOCAL) if moment.tzinfo else moment
    return f"{local:%Y/%m/%d %H:%M:%S}"


def far_from(moment: datetime | None, now: datetime, seconds: float) -> bool:
    """True when ``moment`` is unknown, or further from ``now`` than ``seconds``."""
    return moment is None or abs((moment.astimezone(UTC) - now.astimezone(UTC)).total_seconds()) > seconds
