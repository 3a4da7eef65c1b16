"""Mailboxes of messages for the tests of the exchange services, and a clock that only passes when somebody waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.operations.exchange.opening import open_mailbox
from connectors.operations.exchange.source import ExchangeMailbox
from connectors.operations.moments import LOCAL
from connectors.operations.package import DocumentPackage, Organ, PackageFile, ResponseFor, StatusMessage
from connectors.operations.writer import write_document, write_status
from demo import bkav_server, lgsp_server, vxp_server
from demo.bkav_server import BkavServer, BkavSettings
from demo.exchange_mailbox import Message
from demo.lgsp_server import LgspServer, LgspSettings
from demo.simulated_service import SimulatedService
from demo.vxp_server import VxpServer, VxpSettings
from schemas.connection import ServiceConnection
from schemas.exchange_config import ExchangeService
from schemas.service_config import Politeness
from tests.connectors.source_contract import SourceCase

OFFICE, HEALTH = Organ("000.00.01.H10", "Văn phòng Tỉnh ủy"), Organ("000.00.12.H10", "Sở Y tế")
NIGHT = datetime(2026, 11, 22, 2, 0, tzinfo=LOCAL)
DIALECTS = ("vxp", "lgsp", "lgsp_token", "bkav")
PDF = b"%PDF-1.4\n%%EOF\n"

EXTRAS: Mapping[str, Mapping[str, object]] = {
    "vxp": {"system_id": vxp_server.SYSTEM, "secret_key": vxp_server.SECRET},
    "lgsp": {
        "system_id": lgsp_server.SYSTEM,
        "secret_key": lgsp_server.SECRET,
        "application_code": lgsp_server.APPLICATION,
    },
    "lgsp_token": {"application_code": lgsp_server.APPLICATION},
    "bkav": {"organ_id": bkav_server.ORGAN, "authorization": bkav_server.AUTHORIZATION},
}


@dataclass
class PatientClock:
    """Time stands still, except that sleeping passes it at once."""

    moment: datetime = NIGHT
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment.astimezone(UTC)

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.moment += timedelta(seconds=seconds)


PACKAGE = DocumentPackage(
    sender=HEALTH,
    recipients=(OFFICE,),
    document_id="000.00.12.H10,2026/11/20,7/SYT-NVY",
    code_number="7",
    code_notation="SYT-NVY",
    promulgation_date=date(2026, 11, 20),
    subject="Báo cáo công tác phòng, chống dịch bệnh",
    type_name="Công văn",
    files=(PackageFile("7-SYT-NVY.pdf", PDF),),
)


def document(number: int, **changes: object) -> bytes:
    """The package of one document."""
    package = replace(
        PACKAGE,
        document_id=f"000.00.12.H10,2026/11/20,{number}/SYT-NVY",
        code_number=str(number),
        subject=f"Báo cáo công tác phòng, chống dịch bệnh số {number}",
        files=(PackageFile(f"{number}-SYT-NVY.pdf", PDF, zipped=bool(number % 2)),),
    )
    return write_document(replace(package, **changes))  # type: ignore[arg-type]


def status(number: int, code: str) -> bytes:
    """The package of a status message that answers a document of ours."""
    answered = ResponseFor(OFFICE.organ_id, f"000.00.01.H10,2026/11/19,{number}-CV/VPTU", f"{number}-CV/VPTU")
    return write_status(
        StatusMessage(HEALTH, answered, code, datetime(2026, 11, 21, 8, number, tzinfo=LOCAL))
    )


def message(number: int, kind: str = "edoc", minute: int | None = None) -> Message:
    """The message of that number: created on 20 November at ten past nine and ``number`` minutes."""
    created = f"2026/11/20 09:{minute if minute is not None else number:02d}:00"
    return Message(
        str(7000 + number), kind, HEALTH.organ_id, OFFICE.organ_id, created, f"{kind}-{number}.edxml"
    )


def mail() -> list[tuple[Message, bytes]]:
    """Five documents, two statuses, a package that ends in the middle, and a page that is no package."""
    return [
        *((message(number), document(number)) for number in range(1, 6)),
        (message(6, "status"), status(1, "01")),
        (message(7, "status"), status(1, "03")),
        (message(8), document(8)[:700]),
        (message(9), b"<!DOCTYPE html>\n<html><body>Login</body></html>"),
    ]


def server(dialect: str, folder: Path, now: datetime = NIGHT) -> SimulatedService:
    """The simulator of ``dialect`` over ``folder``; its clock stands at ``now``."""
    made: SimulatedService
    if dialect == "vxp":
        made = VxpServer(folder, VxpSettings(organs=(("1", "", "H10", "UBND tỉnh", "000.00.00.H10"),)))
    elif dialect == "bkav":
        made = BkavServer(folder, BkavSettings())
    else:
        made = LgspServer(folder, LgspSettings(token_in_query=dialect == "lgsp_token"))
    made.now = lambda: now
    return made


def connection(dialect: str, service: SimulatedService, **changes: object) -> ServiceConnection:
    """The right connection to ``service``, or one with other extras."""
    log_in = dialect.startswith("lgsp")
    return ServiceConnection(
        "truc",
        "127.0.0.1",
        "http",
        service.port,
        login=str(changes.pop("login", lgsp_server.LOGIN if log_in else "")),
        password=str(changes.pop("password", lgsp_server.PASSWORD if log_in else "")),
        extras={"dialect": dialect, **EXTRAS[dialect], **changes},
    )


def mailbox(
    dialect: str,
    service: SimulatedService,
    clock: PatientClock | None = None,
    connected: ServiceConnection | None = None,
    **settings: object,
) -> ExchangeMailbox:
    """The source that reads ``service``."""
    chosen: dict[str, object] = {
        "kind": "exchange",
        "page": 3,
        "first_day": date(2026, 11, 1),
        "politeness": Politeness(requests_per_second=1000, read_timeout=5, tries=3),
        **settings,
    }
    return open_mailbox(
        "truc",
        connected or connection(dialect, service),
        ExchangeService.model_validate(chosen),
        ZoneInfo("Asia/Ho_Chi_Minh"),
        clock or PatientClock(),
    )


@dataclass(frozen=True)
class ExchangeCase(SourceCase):
    """A simulated exchange service; what it holds is on disk."""

    service: SimulatedService

    def state(self) -> object:
        return super().state(), tuple(self.service.violations)

    def vanish(self) -> None:
        self.service.__exit__(None, None, None)
