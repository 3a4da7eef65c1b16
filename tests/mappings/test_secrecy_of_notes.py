"""The gate sees every text that the reading of Notes brings out, wherever Notes has put it."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from connectors.lotus_notes.dxl import read_record
from mappings.config import load_sources
from mappings.secrecy import screen
from schemas.record import BytesContent, Listing, SourceRecord
from tests.connectors import cd_builder as cd
from tests.connectors.dxl_builder import document, item
from tests.connectors.mime_items import content_last, mail_items

_HEADING = "ĐẢNG BỘ TỈNH\nTỐI MẬT\nBáo cáo tình hình"


def mail(subtype: str, cte: str) -> list[str]:
    message = EmailMessage(policy=SMTP)
    text = _HEADING if subtype == "plain" else _HEADING.replace("\n", "<br>")
    message.set_content(text, subtype=subtype, cte=cte)
    return mail_items(content_last(message.as_bytes()))


def rich(body: str) -> list[str]:
    return [item("Body", f"<richtext>{body}</richtext>")]


def raw(data: bytes, *more: str) -> list[str]:
    return [item("Body", f"<rawitemdata type='1'>{base64.b64encode(data).decode()}</rawitemdata>"), *more]


FONTS = item(
    "$Fonts", f"<rawitemdata type='1'>{base64.b64encode(cd.fonts(f5='.VnTimeH')).decode()}</rawitemdata>"
)


@pytest.mark.parametrize(
    "items",
    [
        pytest.param(mail("plain", "base64"), id="text of a mail"),
        pytest.param(mail("html", "quoted-printable"), id="HTML of a mail"),
        pytest.param(raw(cd.paragraph(cd.text("Báo cáo")) + cd.paragraph(cd.text("TỐI MẬT"))), id="raw rich text"),
        pytest.param(raw(cd.paragraph(cd.text("tèi mËt", face=5)), FONTS), id="raw rich text in a legacy font"),
        pytest.param(rich("<pardef id='1' hide='read'/><par def='1'>Tối mật</par><par>thường</par>"), id="hidden"),
        pytest.param(rich("<par><popup><popuptext>Tối mật</popuptext>xem</popup></par>"), id="pop-up"),
        pytest.param(rich("<par><doclink document='A' description='Tối mật'/></par>"), id="description of a link"),
        pytest.param(rich("<par><picture alttext='TỐI MẬT'><gif>AA==</gif></picture></par>"), id="alternative text"),
        pytest.param(rich("<table><tablerow><tablecell><par>12-BC</par></tablecell><tablecell><par>Tối mật</par>"
                          "</tablecell></tablerow></table>"), id="cell of a row"),
        pytest.param(rich("<table><tablerow tablabel='TỐI MẬT'><tablecell><par>x</par></tablecell></tablerow></table>"),
                     id="label of a tab"),
        pytest.param(rich("<section><sectiontitle><text>Tối mật</text></sectiontitle><par>x</par></section>"),
                     id="title of a section"),
    ],
)  # fmt: skip
def test_a_mark_of_secrecy_is_found(items: list[str]) -> None:
    record = read_record(Listing("k", "r", "l"), BytesContent(document(1, *items).encode()), {})
    assert isinstance(record, SourceRecord)
    found = screen(record, load_sources()["notes_van_ban"])
    assert found is not None
    assert found.level == "toi_mat"
