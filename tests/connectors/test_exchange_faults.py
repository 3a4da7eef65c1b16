"""What goes wrong on the way to an exchange service, and what becomes of it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.operations.exchange.source import STRANGE_IN_A_ROW, ExchangeMailbox
from connectors.operations.moments import LOCAL
from connectors.operations.writer_v1 import write_document_v1
from demo.exchange_mailbox import Message
from demo.simulated_service import Changed, Cut, Refused, Reply, SimulatedService, Stalled, names_of
from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError, FatalError, RetriableError
from schemas.record import Listing, SourceRecord, Unreadable, Window, chunks, sha256_of
from schemas.service_config import Politeness
from tests.connectors.exchange_services import (
    DIALECTS,
    NIGHT,
    PACKAGE,
    PDF,
    PatientClock,
    connection,
    document,
    mail,
    mailbox,
    message,
    server,
)
from tests.connectors.source_contract import comparable, everything, stored

LIST = {
    "vxp": "/getReceivedEdocList",
    "lgsp": "/syncReceivedEdocList",
    "lgsp_token": "/received-edocs",
    "bkav": "/getPendingDocIds",
}
GET = {"vxp": "/getEdoc", "lgsp": "/getEdoc", "lgsp_token": "/get-edoc", "bkav": "/getDocument"}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts a simulator that holds the given messages."""
    with ExitStack() as stack:

        def start(
            dialect: str, messages: list[tuple[Message, bytes]] | None = None, now: datetime = NIGHT
        ) -> SimulatedService:
            made: Any = server(dialect, tmp_path / "truc", now)
            made.mailbox.write(mail() if messages is None else messages)
            return stack.enter_context(made)  # type: ignore[no-any-return]

        yield start


def five() -> list[tuple[Message, bytes]]:
    return [(message(number), document(number)) for number in range(1, 6)]


def keys(listings: list[Listing]) -> list[str]:
    return [listing.key for listing in listings]


def fetched(source: ExchangeMailbox) -> list[SourceRecord | Unreadable]:
    return list(source.fetch(everything(source)))


def bytes_of(answer: SourceRecord | Unreadable) -> bytes:
    assert answer.original is not None
    return b"".join(chunks(answer.original))


# --- the service is busy, away, or breaks off -----------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", [Refused(503), Refused(429), Cut(), Cut(0.5)], ids=str)
def test_what_fails_for_a_moment_is_asked_again(
    serve: Callable[..., Any], dialect: str, fault: Refused | Cut
) -> None:
    service = serve(dialect, five())
    service.faults.on(LIST[dialect], fault, times=2)
    service.faults.on(GET[dialect], fault, times=2)
    clock = PatientClock()
    answers = fetched(mailbox(dialect, service, clock))
    assert [bytes_of(answer) for answer in answers] == [document(number) for number in range(1, 6)]
    waits = [seconds for seconds in clock.slept if seconds > 0.01]
    assert all(seconds <= 2 for seconds in waits), (
        "the second wait is two seconds at most, and chance decides"
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_service_that_stays_away_is_tried_again_later(serve: Callable[..., Any], dialect: str) -> None:
    service = serve(dialect)
    service.faults.when(lambda request: True, Refused(503), times=50)
    with pytest.raises(RetriableError, match="HTTP 503") as caught:
        everything(mailbox(dialect, service))
    assert len(service.requests) == 3
    assert "connection truc" in str(caught.value)


def test_silence_is_not_waited_for_for_ever(serve: Callable[..., Any]) -> None:
    service = serve("vxp")
    service.faults.on(LIST["vxp"], Stalled(), times=3)
    source = mailbox("vxp", service, politeness=Politeness(read_timeout=0.05, tries=3))
    with pytest.raises(RetriableError):
        everything(source)


@pytest.mark.parametrize(
    ("header", "least"), [("7", 7.0), ("Sat, 21 Nov 2026 19:00:40 GMT", 40.0), ("soon", 0.0)]
)
def test_the_patience_that_a_service_asks_for_is_given(
    serve: Callable[..., Any], header: str, least: float
) -> None:
    service = serve("vxp", five())
    service.faults.on(LIST["vxp"], Refused(429, header))
    clock = PatientClock()
    assert len(everything(mailbox("vxp", service, clock, messages=["edoc"]))) == 5
    assert least <= max(clock.slept) <= least + 1


def test_a_service_that_asks_for_hours_is_left_to_the_next_run(serve: Callable[..., Any]) -> None:
    service = serve("vxp")
    service.faults.on(LIST["vxp"], Refused(503, "7200"))
    with pytest.raises(RetriableError, match="7200"):
        everything(mailbox("vxp", service))
    assert len(service.requests) == 1


def test_requests_keep_their_pace(serve: Callable[..., Any]) -> None:
    service = serve("bkav", five())
    clock = PatientClock()
    fetched(mailbox("bkav", service, clock, politeness=Politeness(requests_per_second=2)))
    assert clock.slept == [pytest.approx(0.5)] * (len(service.requests) - 1)


# --- lists ----------------------------------------------------------------------------------------------------------


def test_pages_are_read_to_the_end_however_they_are_cut(serve: Callable[..., Any]) -> None:
    service = serve("vxp", [(message(number), document(number)) for number in range(1, 30)])
    right = keys(everything(mailbox("vxp", service)))
    assert right == [f"edoc|{7000 + number}" for number in range(1, 30)]
    for counts_from in (0, 1):
        for repeats in (False, True):
            for largest in (2, 1000):
                service.settings.counts_from = counts_from
                service.settings.repeats = repeats
                service.settings.largest_page = largest
                service.settings.reversed_pages = repeats
                assert keys(everything(mailbox("vxp", service, page=10))) == right


def test_a_service_that_knows_no_pages_is_not_asked_for_ever(serve: Callable[..., Any]) -> None:
    service = serve("vxp", five())
    service.settings.counts_from = 1000
    assert len(everything(mailbox("vxp", service, messages=["edoc"], page=1000))) == 5
    assert len(service.requests) == 3


@pytest.mark.parametrize("dialect", ["vxp", "lgsp"])
def test_a_transport_status_that_moves_on_is_no_new_state(serve: Callable[..., Any], dialect: str) -> None:
    service = serve(dialect, five())
    before = everything(mailbox(dialect, service))
    service.mailbox.write([(replace(found, status="done"), data) for found, data in five()])
    assert everything(mailbox(dialect, service)) == before


@pytest.mark.parametrize("dialect", ["lgsp", "vxp", "bkav"])
def test_a_row_without_identity_is_counted(serve: Callable[..., Any], dialect: str) -> None:
    service = serve(dialect, five())

    def nameless(reply: Reply) -> Reply:
        answer = json.loads(reply.body)
        rows = answer["pendingResult"] if dialect == "bkav" else answer["data"]
        rows[1].pop("docId")
        return replace(reply, body=json.dumps(answer).encode())

    service.faults.on(LIST[dialect], Changed(nameless))
    answers = fetched(mailbox(dialect, service, messages=["edoc"]))
    assert len(answers) == 5
    lost = [answer for answer in answers if isinstance(answer, Unreadable)]
    assert [answer.reason for answer in lost] == ["listed_without_identity"]
    assert lost[0].listing.key.startswith("unreadable:")


def test_a_list_shorter_than_its_own_count_is_not_taken(serve: Callable[..., Any]) -> None:
    service = serve("lgsp", five())
    service.faults.on(LIST["lgsp"], Changed(lambda reply: replace(reply, body=_with(reply, count=9))))
    with pytest.raises(RetriableError, match="counts 9 rows and gives 5"):
        everything(mailbox("lgsp", service))


def test_a_list_is_held_against_the_count_of_the_service(serve: Callable[..., Any]) -> None:
    service = serve("vxp", five())
    assert len(everything(mailbox("vxp", service, check_counts=True))) == 5
    service.faults.on("/countReceiveEdoc", Changed(lambda reply: replace(reply, body=_with(reply, count=6))))
    with pytest.raises(FatalError, match="counts 6 messages of the kind edoc and lists 5"):
        everything(mailbox("vxp", service, check_counts=True))


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><form>Login</form>",
        b'{"status":"OK","data":{"a":1}}',
        b'{"status":"OK","data":[{"doc',
    ],
)
def test_an_answer_that_is_no_list_is_not_an_empty_list(serve: Callable[..., Any], body: bytes) -> None:
    service = serve("vxp", five())
    service.faults.on(LIST["vxp"], Changed(lambda reply: replace(reply, body=body)), times=2)
    with pytest.raises(RetriableError):
        everything(mailbox("vxp", service))


@pytest.mark.parametrize("dialect", ["vxp", "lgsp", "bkav"])
@pytest.mark.parametrize(
    "fault",
    [Cut(0.5), Changed(lambda reply: replace(reply, body=reply.body[: len(reply.body) // 2]))],
    ids=["broken_off", "cut_unseen"],
)
def test_whichever_request_of_a_night_fails_the_night_is_the_same(
    serve: Callable[..., Any], dialect: str, fault: Cut | Changed
) -> None:
    service = serve(dialect, [mail()[0], mail()[5], mail()[7]])
    right = [comparable(answer) for answer in fetched(mailbox(dialect, service))]
    for number in range(1, len(service.requests) + 1):
        service.requests.clear()
        service.faults.when(lambda request, number=number: request.number == number, fault)
        assert [comparable(answer) for answer in fetched(mailbox(dialect, service))] == right, number


def test_days_are_asked_for_as_the_site_counts_them(serve: Callable[..., Any]) -> None:
    service = serve("lgsp", five())
    source = mailbox("lgsp", service, messages=["edoc"], days_per_request=10)
    window = Window(datetime(2026, 11, 5, 3, tzinfo=LOCAL), datetime(2026, 11, 20, 9, 4, tzinfo=LOCAL))
    assert keys(list(source.inventory(window))) == ["edoc|7001", "edoc|7002", "edoc|7003"]
    asked = [request.query for request in service.requests if request.path.endswith(LIST["lgsp"])]
    assert [(query["fromDate"], query["toDate"]) for query in asked] == [
        ("2026/11/05", "2026/11/15"),
        ("2026/11/15", "2026/11/21"),
    ]


def test_filters_of_the_site_reach_the_service(serve: Callable[..., Any]) -> None:
    sent = replace(message(5), sent=True)
    service = serve(
        "vxp", [*five()[:3], (replace(message(4), status="done"), document(4)), (sent, document(5))]
    )
    assert keys(everything(mailbox("vxp", service, statuses=["done"]))) == ["edoc|7004"]
    assert len(everything(mailbox("vxp", service, sent=True, receiver="000.00.01.H10"))) == 5
    assert any(request.header("XroadVnpt-to") == "000.00.01.H10" for request in service.requests)


# --- packages -------------------------------------------------------------------------------------------------------


def _cut(reply: Reply) -> Reply:
    """The answer with a package that ends in the middle of its base64."""
    answer = json.loads(reply.body)
    holder = answer["data"] if isinstance(answer["data"], dict) else answer
    name = "edxml" if "edxml" in holder else "data"
    holder[name] = holder[name][:1501]
    return replace(reply, body=json.dumps(answer).encode())


def _with(reply: Reply, **members: object) -> bytes:
    return json.dumps({**json.loads(reply.body), **members}).encode()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_package_cut_off_on_its_way_is_whole_the_next_time(serve: Callable[..., Any], dialect: str) -> None:
    service = serve(dialect, five())
    service.faults.on(GET[dialect], Changed(_cut), times=2)
    answers = fetched(mailbox(dialect, service))
    assert [bytes_of(answer) for answer in answers] == [document(number) for number in range(1, 6)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_package_that_stays_cut_off_is_set_aside_with_its_bytes(
    serve: Callable[..., Any], dialect: str
) -> None:
    service = serve(dialect, five()[:1])
    service.faults.on(GET[dialect], Changed(_cut), times=50)
    source = mailbox(dialect, service)
    (answer,) = fetched(source)
    assert isinstance(answer, Unreadable)
    assert answer.reason == "xml_truncated"
    assert bytes_of(answer) == document(1)[: 1500 // 4 * 3]
    assert sum(request.path.endswith(GET[dialect]) for request in service.requests) == 3
    assert isinstance(source.parse(answer.listing, answer.original, {}), Unreadable)


def test_text_that_is_no_base64_is_kept_as_it_came(serve: Callable[..., Any]) -> None:
    service = serve("vxp", five()[:1])
    service.faults.on(
        GET["vxp"], Changed(lambda reply: replace(reply, body=_with(reply, data="PD94*Ti*"))), 9
    )
    (answer,) = fetched(mailbox("vxp", service))
    assert isinstance(answer, Unreadable)
    assert (answer.reason, bytes_of(answer)) == ("package_not_base64", b"PD94*Ti*")


@pytest.mark.parametrize("body", [b'{"status":"OK","ErrorCode":"0"}', b'{"status":"OK","data":""}'])
def test_an_answer_without_a_package_loses_one_message_only(serve: Callable[..., Any], body: bytes) -> None:
    service = serve("vxp", five())
    service.faults.on(GET["vxp"], Changed(lambda reply: replace(reply, body=body)), times=3)
    answers = fetched(mailbox("vxp", service))
    assert [getattr(answer, "reason", "") for answer in answers] == ["package_missing", "", "", "", ""]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", [Refused(500), Refused(503), Cut()], ids=str)
def test_one_message_on_which_the_service_breaks_does_not_stop_the_others(
    serve: Callable[..., Any], dialect: str, fault: Refused | Cut
) -> None:
    service = serve(dialect, five())
    broken = service.mailbox.messages()[2].id
    service.faults.when(
        lambda request: broken in (request.query.get("docId"), *map(request.header, ("docId", "XroadVnpt-docId"))),
        fault,
        times=50,
    )  # fmt: skip
    answers = fetched(mailbox(dialect, service))
    assert [getattr(answer, "reason", "") for answer in answers] == ["", "", "service_failed", "", ""]


def test_a_service_that_goes_away_in_the_night_is_waited_for(serve: Callable[..., Any]) -> None:
    service = serve("vxp", five())
    source = mailbox("vxp", service)
    answers = source.fetch(everything(source))
    next(answers)
    service.faults.when(lambda request: True, Cut(), times=50)
    with pytest.raises(RetriableError, match="connection was lost"):
        next(answers)


def test_a_service_that_breaks_on_every_message_is_at_fault_itself(serve: Callable[..., Any]) -> None:
    service = serve("vxp", [(message(number), document(number)) for number in range(1, 10)])
    service.faults.on(GET["vxp"], Refused(500), times=500)
    source = mailbox("vxp", service)
    answers = source.fetch(everything(source))
    assert [next(answers).listing.key for _ in range(STRANGE_IN_A_ROW - 1)]
    with pytest.raises(RetriableError, match="5 messages in a row"):
        next(answers)


def test_a_package_beyond_the_limit_is_set_aside(serve: Callable[..., Any]) -> None:
    service = serve("vxp", [(message(1), document(1, content="x" * 900_000)), (message(2), document(2))])
    answers = fetched(mailbox("vxp", service, megabytes=1))
    assert [getattr(answer, "reason", "") for answer in answers] == ["package_too_large", ""]


def test_a_large_package_arrives_to_the_byte(serve: Callable[..., Any]) -> None:
    package = document(1, content="Nội dung 😀 \\ / " * 200_000)
    service = serve("lgsp", [(message(1), package)])
    for raw in (False, True):
        service.settings.raw_packages = raw
        (answer,) = fetched(mailbox("lgsp", service))
        assert isinstance(answer, SourceRecord)
        assert bytes_of(answer) == package


def test_base64_without_json_around_it_is_taken(serve: Callable[..., Any]) -> None:
    service = serve("bkav", five()[:1])
    service.settings.bare_packages = True
    (answer,) = fetched(mailbox("bkav", service))
    assert bytes_of(answer) == document(1)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_package_of_the_dialect_before_2016_is_read_as_well(
    serve: Callable[..., Any], dialect: str
) -> None:
    package = write_document_v1(replace(PACKAGE, subject="Thông báo lịch tiếp công dân"))
    service = serve(dialect, [(message(1), package)])
    (record,) = fetched(mailbox(dialect, service))
    assert isinstance(record, SourceRecord)
    assert bytes_of(record) == package
    assert record.context["edxml_version"] == "1"
    assert [file.name for file in record.attachments] == ["7-SYT-NVY.pdf"]


def test_a_file_beside_the_package_that_is_no_base64_loses_nothing(serve: Callable[..., Any]) -> None:
    service = serve("lgsp", five()[:1])

    def spoiled(reply: Reply) -> Reply:
        answer = json.loads(reply.body)
        answer["data"]["attachments"] = [
            {"fileName": "phụ lục.xls", "fileContent": "*hỏng*"},
            {"fileName": "rỗng"},
        ]
        return replace(reply, body=json.dumps(answer).encode())

    service.faults.on(GET["lgsp"], Changed(spoiled))
    (record,) = fetched(mailbox("lgsp", service))
    assert isinstance(record, SourceRecord)
    kept = record.attachments[1]
    assert (kept.name, kept.defects) == ("phụ lục.xls", ("invalid_base64",))
    assert b"".join(chunks(kept.content)) == "*hỏng*".encode()
    again = mailbox("lgsp", service).parse(record.listing, record.original, record.context, stored(record))
    assert comparable(again) == comparable(record)


@pytest.mark.parametrize("dialect", ["vxp", "lgsp", "bkav"])
@pytest.mark.parametrize(
    "identity", ["a\nb", "a\r\nXroadVnpt-docid: b", "\ud800", "a\0b", "x" * 500, "../b", "a b&c=d"]
)
def test_an_identity_that_no_request_can_name_stops_nothing(
    serve: Callable[..., Any], dialect: str, identity: str
) -> None:
    service = serve(dialect, five()[:2])

    def renamed(reply: Reply) -> Reply:
        answer = json.loads(reply.body)
        (answer["pendingResult"] if dialect == "bkav" else answer["data"])[0]["docId"] = identity
        return replace(reply, body=json.dumps(answer).encode())

    service.faults.on(LIST[dialect], Changed(renamed))
    source = mailbox(dialect, service, messages=["edoc"], page=100)
    listings = [listing for listing in everything(source) if listing.key != "edoc|7001"]
    answers = list(source.fetch(listings))
    assert sorted(getattr(answer, "reason", "") for answer in answers) in (
        ["", "identity_unusable"],
        ["", "not_at_service"],
    )
    for listing in listings:
        assert listing.key.isprintable()
        listing.locator.encode("ascii")
        assert len(listing.key) < 500
    assert "updateStatus" not in names_of(service.requests)


def test_files_beside_the_package_are_kept_unless_it_holds_them(serve: Callable[..., Any]) -> None:
    service = serve("lgsp", five()[:1])
    appendix = b"\xd0\xcf\x11\xe0phu luc"
    service.settings.beside = {"7001": {"1-SYT-NVY.pdf": PDF, "phụ lục.xls": appendix}}
    source = mailbox("lgsp", service)
    (record,) = fetched(source)
    assert isinstance(record, SourceRecord)
    assert [file.name for file in record.attachments] == ["1-SYT-NVY.pdf", "phụ lục.xls"]
    assert b"".join(chunks(record.attachments[1].content)) == appendix
    again = source.parse(record.listing, record.original, record.context, stored(record))
    assert isinstance(again, SourceRecord)
    assert [sha256_of(file.content) for file in again.attachments] == [
        sha256_of(file.content) for file in record.attachments
    ]
    lost = source.parse(record.listing, record.original, record.context)
    assert isinstance(lost, Unreadable)
    assert lost.reason == "stored_file_missing"


# --- who we are -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "wrong"),
    [
        ("vxp", {"secret_key": "sai-khoa-bi-mat"}),
        ("vxp", {"system_id": "khong.co"}),
        ("lgsp", {"secret_key": "sai-khoa-bi-mat"}),
        ("lgsp", {"password": "sai-khoa-bi-mat"}),
        ("lgsp_token", {"password": "sai-khoa-bi-mat"}),
        ("bkav", {"authorization": "sai-khoa-bi-mat"}),
    ],
)
def test_wrong_credentials_stop_the_run_and_say_what_to_do(
    serve: Callable[..., Any], dialect: str, wrong: dict[str, object]
) -> None:
    service = serve(dialect)
    source = mailbox(dialect, service, connected=connection(dialect, service, **wrong))
    with pytest.raises(FatalError, match="refuses us") as caught:
        everything(source)
    assert "press Test" in str(caught.value)
    assert "bi-mat" not in str(caught.value)
    assert len(service.requests) <= 4, "an account is not locked by guessing"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_that_is_told_shows_a_secret(serve: Callable[..., Any], dialect: str) -> None:
    service = serve(dialect, five())
    service.faults.on(GET[dialect], Refused(503), times=50)
    source = mailbox(dialect, service)
    listings = everything(source)
    with pytest.raises(RetriableError) as caught:
        list(source.fetch(listings))
    told = f"{caught.value!r} {caught.value.__cause__!r} {source!r}"
    for secret in ("bi-mat-cua", "mat-khau-mau", "Zm9uZy", "eyJ"):
        assert secret not in told


@pytest.mark.parametrize(("dialect", "key"), [("bkav", "authorization"), ("lgsp", "secret_key")])
def test_a_secret_that_no_header_can_hold_is_not_shown(
    serve: Callable[..., Any], dialect: str, key: str
) -> None:
    service = serve(dialect)
    wrong = connection(dialect, service, **{key: "khoa-bi-mat\nthem"})
    with pytest.raises(ConfigurationError, match="without control characters") as caught:
        everything(mailbox(dialect, service, connected=wrong))
    told = "".join(traceback.format_exception(caught.value))
    assert "khoa-bi-mat" not in told


@pytest.mark.parametrize("dialect", ["lgsp", "lgsp_token"])
def test_a_token_that_grew_old_is_renewed_once(serve: Callable[..., Any], dialect: str) -> None:
    service = serve(dialect, five())
    source = mailbox(dialect, service, messages=["edoc"])
    listings = everything(source)
    service.end_all_tokens()
    assert all(isinstance(answer, SourceRecord) for answer in source.fetch(listings))
    assert names_of(service.requests).count("login") == 2


def test_a_token_that_is_never_good_enough_is_not_asked_for_again_and_again(
    serve: Callable[..., Any],
) -> None:
    service = serve("lgsp")
    service.settings.token_seconds = -1
    with pytest.raises(FatalError, match="401"):
        everything(mailbox("lgsp", service))
    assert names_of(service.requests) == ["login", "syncReceivedEdocList", "login", "syncReceivedEdocList"]


def test_a_site_without_login_is_asked_with_its_system_code_alone(serve: Callable[..., Any]) -> None:
    service = serve("lgsp", five())
    source = mailbox("lgsp", service, connected=connection("lgsp", service, login=""))
    with pytest.raises(FatalError, match="401"):
        everything(source)
    assert "login" not in names_of(service.requests)


@pytest.mark.parametrize("hours", [-9, 2])
def test_a_clock_that_goes_wrong_is_measured_and_made_up_for(serve: Callable[..., Any], hours: int) -> None:
    service = serve("vxp", five(), now=NIGHT + timedelta(hours=hours))
    source = mailbox("vxp", service)
    assert len(everything(source)) == 5
    assert source.dialect.clock_skew() == pytest.approx(hours * 3600, abs=1)
    refused = [request for request in service.requests if "T02" in request.header("XroadVnpt-timestamp")]
    assert len(refused) == 1, "only the first request has our own time"


def test_a_wrong_secret_behind_a_wrong_clock_tells_both(serve: Callable[..., Any]) -> None:
    service = serve("vxp", now=NIGHT + timedelta(hours=2))
    source = mailbox("vxp", service, connected=connection("vxp", service, secret_key="sai"))
    with pytest.raises(FatalError, match=r"clock goes \+7200 s"):
        everything(source)


def test_a_code_of_the_site_means_what_its_settings_say(serve: Callable[..., Any]) -> None:
    service = serve("vxp", five())
    refusal = json.dumps({"status": "FAIL", "ErrorCode": "77", "ErrorDesc": "?"}).encode()
    for meaning, error in (("fatal", FatalError), ("retriable", RetriableError)):
        service.faults.on(GET["vxp"], Changed(lambda reply: replace(reply, body=refusal)), times=2)
        with pytest.raises(error, match="77"):
            fetched(mailbox("vxp", service, errors={"77": meaning}))
        service.faults = type(service.faults)()
    service.faults.on(GET["vxp"], Changed(lambda reply: replace(reply, body=refusal)))
    answers = fetched(mailbox("vxp", service, errors={"77": "record"}))
    assert [getattr(answer, "reason", "") for answer in answers] == ["not_at_service", "", "", "", ""]


def test_a_message_whose_refusal_only_sounds_like_ours_stops_no_other(serve: Callable[..., Any]) -> None:
    service = serve("vxp", five())
    refusal = {"status": "FAIL", "ErrorCode": "51", "ErrorDesc": "timestamp in document is invalid"}
    service.faults.on(
        GET["vxp"], Changed(lambda reply: replace(reply, body=json.dumps(refusal).encode())), times=1
    )
    answers = fetched(mailbox("vxp", service))
    assert [getattr(answer, "reason", "") for answer in answers] == ["refused_by_service", "", "", "", ""]


@pytest.mark.parametrize(
    ("code", "error"), [("15", FatalError), ("19", FatalError), ("23", FatalError), ("20", RetriableError)]
)
def test_codes_of_the_lgsp_stop_the_run_or_put_it_off(
    serve: Callable[..., Any], code: str, error: type[Exception]
) -> None:
    service = serve("lgsp", five())
    body = json.dumps({"success": False, "data": {"errorCode": code, "errorDesc": "Lỗi"}}).encode()
    service.faults.on(GET["lgsp"], Changed(lambda reply: replace(reply, body=body)), times=2)
    with pytest.raises(error, match=code):
        fetched(mailbox("lgsp", service))


# --- networks -------------------------------------------------------------------------------------------------------


def test_another_name_of_path_header_and_field_is_a_setting(serve: Callable[..., Any]) -> None:
    service = serve("bkav", five())

    def renamed(reply: Reply) -> Reply:
        rows = [{"ma": row["docId"]} for row in json.loads(reply.body).get("pendingResult", [])]
        return replace(reply, body=json.dumps({"code": "0", "danhSach": rows}).encode())

    original = service.respond
    service.respond = lambda request: original(
        replace(request, headers={**request.headers, "messagetype": request.header("Type")})
    )
    service.faults.on("/lienthong/v2/getPendingDocIds", Changed(renamed))
    source = mailbox(
        "bkav", service, messages=["edoc"], base_path="/lienthong", names={"messagetype": "Type"},
        paths={"list": "/v2/getPendingDocIds"}, methods={"list": "POST"},
        fields={"rows": ["danhSach"], "id": ["ma"]},
    )  # fmt: skip
    answers = fetched(source)
    assert [bytes_of(answer) for answer in answers] == [document(number) for number in range(1, 6)]


def test_a_proxy_is_gone_through(serve: Callable[..., Any]) -> None:
    service = serve("vxp", five())
    through = replace(
        connection("vxp", service, proxy=service.url), host="truc.khong-co-that.invalid", port=None
    )
    assert len(everything(mailbox("vxp", service, connected=through))) == 5


def test_a_proxy_that_is_away_is_told(serve: Callable[..., Any]) -> None:
    service = serve("vxp")
    through = connection("vxp", service, proxy="http://127.0.0.1:9")
    with pytest.raises(RetriableError, match="proxy"):
        everything(mailbox("vxp", service, connected=through))


def _without(right: ServiceConnection, name: str, instead: str = "") -> ServiceConnection:
    return replace(right, extras={**right.extras, name: instead})


@pytest.mark.parametrize("missing", ["dialect", "system_id", "secret_key"])
def test_what_a_connection_lacks_is_named(serve: Callable[..., Any], missing: str) -> None:
    service = serve("vxp")
    with pytest.raises(ConfigurationError, match=missing):
        mailbox("vxp", service, connected=_without(connection("vxp", service), missing))


def test_an_unknown_dialect_is_refused(serve: Callable[..., Any]) -> None:
    service = serve("vxp")
    with pytest.raises(ConfigurationError, match="vxp or lgsp or lgsp_token or bkav"):
        mailbox("vxp", service, connected=_without(connection("vxp", service), "dialect", "esb"))
