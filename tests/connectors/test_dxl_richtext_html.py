"""Rich text as HTML: the same text as the plain text, with its looks, and nothing that could do anything."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.lotus_notes.encoding import UTF8, Encoding
from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.record_xml import read_xml
from connectors.lotus_notes.richtext import runs_of
from connectors.lotus_notes.richtext_html import Decode, html_of
from connectors.lotus_notes.safe_html import ATTRIBUTES, TAGS
from schemas.record import BytesContent

GIF = "R0lGODlhAQABAAAAACw="


def node(body: str) -> Node:
    xml = read_xml(BytesContent(f"<document><richtext>{body}</richtext></document>".encode()), Encoding(UTF8))
    (element,) = xml.root
    return xml.node(element)


def html(body: str, decode: Decode | None = None) -> str:
    whole = html_of(node(body), decode)
    return whole.removeprefix('<div class="richtext">').removesuffix("</div>")


def par(inside: str, attributes: str = "") -> str:
    return f'<div class="par"{attributes}>{inside}</div>'


@pytest.mark.parametrize(
    ("body", "markup"),
    [
        ("<par>a &lt; b<break/>c</par>", par("a &lt; b<br/>c")),
        ("<pardef id='1' align='full' leftmargin='1.5in'/><par def='1'>a</par>",
         par("a", ' style="text-align:justify;margin-left:1.5in"')),
        ("<par><run><font name='.VnTime' size='13pt' style='bold italic' color='#ff0000'/>a</run></par>",
         par('<span style="font-family:\'.VnTime\';font-size:13pt;color:#ff0000" data-font=".VnTime"><b><i>a</i></b>'
             "</span>")),
        ("<par><run highlight='yellow'>a</run></par>",
         par('<span><mark style="background-color:yellow">a</mark></span>')),
        ("<pardef id='1' hide='read'/><par def='1'>a</par>", par("a", ' data-hidden="true"')),
        ("<pardef id='1' list='bullet'/><pardef id='2' list='romanlower'/><par def='1'>a</par><par def='1'>b</par>"
         "<par def='2'>c</par>",
         '<ul class="bullet"><li class="par">a</li><li class="par">b</li></ul>'
         '<ol type="i"><li class="par">c</li></ol>'),
        ("<pardef id='1' list='uncheck'/><par def='1'>a</par>", par("☐ a")),
        ("<table colorstyle='solid' bgcolor='silver'><tablecolumn width='1in'/><tablecolumn/>"
         "<tablerow tablabel='Thẻ'><tablecell columnspan='2' rowspan='1' bgcolor='#C6C6C6' valign='center'>"
         "<par>a</par></tablecell></tablerow></table>",
         '<table class="table" style="background-color:silver"><colgroup><col style="width:1in"/><col/></colgroup>'
         '<tbody><tr class="tab"><th colspan="2">Thẻ</th></tr><tr><td colspan="2" '
         'style="background-color:#c6c6c6;vertical-align:middle">' + par("a") + "</td></tr></tbody></table>"),
        ("<table>lạc<tablerow><tablecell/><par>rơi</par></tablerow></table>",
         '<table class="table"><tbody><tr><td><div>lạc</div></td></tr><tr><td></td><td>' + par("rơi")
         + "</td></tr></tbody></table>"),
        ("<section><sectiontitle><text>T</text></sectiontitle><par>a</par></section>",
         '<details class="section" open="open"><summary class="title">T</summary>' + par("a") + "</details>"),
        ("<section><par>a</par></section>", '<div class="section">' + par("a") + "</div>"),
        ("<par><urllink href='https://tinhuy.example/?a=1&amp;b=2'>a</urllink></par>",
         par('<a class="urllink" href="https://tinhuy.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow" '
             'data-href="https://tinhuy.example/?a=1&amp;b=2">a</a>')),
        ("<par><urllink href='java&#9;script:alert(1)'>a</urllink></par>",
         par('<span class="urllink" data-href="java\tscript:alert(1)">a</span>')),
        ("<par><urllink href='http://a.example'><urllink href='http://b.example'>x</urllink></urllink></par>",
         par('<a class="urllink" href="http://a.example" rel="noopener noreferrer nofollow" '
             'data-href="http://a.example"><span class="urllink" data-href="http://b.example">x</span></a>')),
        ("<par><doclink database='472572A1000FBC01' document='AB12' description='Công văn'/></par>",
         par('<a class="doclink" href="notes:///472572A1000FBC01/0/AB12" rel="noopener noreferrer nofollow" '
             'data-document="AB12" data-database="472572A1000FBC01" data-description="Công văn">[Công văn]</a>')),
        ("<par><attachmentref name='ATT1' displayname='a.pdf'><picture><notesbitmap>AAEC</notesbitmap></picture>"
         "</attachmentref></par>",
         par('<span class="attachmentref" data-name="ATT1"><span class="picture" data-format="notesbitmap" '
             'data-size="3" data-sha256="ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc"></span>'
             "a.pdf</span>")),
        ("<par><run html='true'>&lt;script&gt;x&lt;/script&gt;</run></par>",
         par('<code class="passthru"><span>&lt;script&gt;x&lt;/script&gt;</span></code>')),
        ("<block html='true'><par>&lt;b&gt;</par></block>",
         '<div class="block passthru">' + par("&lt;b&gt;") + "</div>"),
        ("<par><popup><popuptext>thêm</popuptext>chữ</popup></par>",
         par('<span class="popup">chữ</span><span class="popuptext" data-hidden="true"> [thêm]</span>')),
        ("<par><horizrule/></par>", par("<hr/>")),
        ("<par>a<nonxmlchar value='2'/>b</par>",
         par('a<span class="char" data-code="2">\ufffd</span>b')),
        ("<par><computedtext><code event='value'><formula>@Now</formula></code></computedtext></par>",
         par('<span class="computedtext"></span>')),
    ],
)  # fmt: skip
def test_what_each_element_becomes(body: str, markup: str) -> None:
    assert html(body) == markup


def test_a_picture_is_shown_when_it_is_one_that_is_safe_to_show() -> None:
    shown = html(f"<par><picture width='10px' alttext='Dấu'><gif>{GIF}</gif></picture></par>")
    assert f'src="data:image/gif;base64,{GIF}"' in shown
    assert 'alt="[Dấu]"' in shown
    assert 'width="10"' in shown
    named = html("<par><picture><png>AAEC</png></picture></par>")
    assert "<img" not in named
    assert 'data-format="png"' in named
    small = html_of(node(f"<par><picture><gif>{GIF}</gif></picture></par>"), picture_limit=5)
    assert "<img" not in small


def test_text_is_decoded_by_the_font_of_its_run_whole_with_characters_that_xml_cannot_hold() -> None:
    asked: list[tuple[str, str | None]] = []

    def decode(text: str, font: str | None) -> str:
        asked.append((text, font))
        return "Ắ" if "\x02" in text else text.upper()

    shown = html(
        "<par>thường<run><font name='.VnTime' size='9pt'/>x<nonxmlchar value='2'/>y</run></par>",
        decode=decode,
    )
    assert asked == [("thường", None), ("x\x02y", ".VnTime")]
    assert shown == par('THƯỜNG<span style="font-size:9pt" data-font=".VnTime">Ắ</span>')


@pytest.mark.parametrize(
    "attributes",
    [
        "name='x; background:url(http://evil.example)' color='red;position:fixed' size='9pt;top:0'",
        "name='&quot; onload=&quot;x' color='expression(alert(1))' size='calc(1px)'",
        "name='a&#39;;}' color='javascript:x' size='99999999999pt'",
    ],
)
def test_no_value_gets_into_a_style(attributes: str) -> None:
    shown = html(f"<par><run><font {attributes}/>a</run></par>")
    assert "style=" not in shown
    assert set(attributes_of(shown)) <= {"class", "data-font"}


def attributes_of(markup: str) -> list[str]:
    return [name for element in ElementTree.fromstring(f"<x>{markup}</x>").iter() for name in element.attrib]


_NAMES = (
    *(
        "par",
        "run",
        "run",
        "table",
        "tablerow",
        "tablecell",
        "section",
        "sectiontitle",
        "block",
        "layer",
        "urllink",
    ),
    *(
        "doclink",
        "viewlink",
        "databaselink",
        "namedelementlink",
        "popup",
        "popuptext",
        "button",
        "actionhotspot",
    ),
    *(
        "picture",
        "caption",
        "attachmentref",
        "objectref",
        "javaapplet",
        "imagemap",
        "area",
        "span",
        "region",
        "break",
    ),
    *(
        "horizrule",
        "embeddedcontrol",
        "keyword",
        "embeddedview",
        "subformref",
        "computedtext",
        "anchor",
        "imageref",
    ),
    *(
        "font",
        "pardef",
        "field",
        "code",
        "text",
        "script",
        "object",
        "style",
        "onclick",
        "border",
        "embeddedkeywords",
    ),
)
_VALUES = st.one_of(
    st.sampled_from(
        (
            *("javascript:alert(1)", "http://a.example/", "true", "1", "2", "bullet", "number", "check", "read"),
            *("x\" onload=\"alert(1)", "red;background:url(x)", "<script>", "bold underline", "13pt", ".VnTime"),
            *("AB12", "Ghi chú"),
        )
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6),
)  # fmt: skip
_ATTRIBUTE_NAMES = st.sampled_from(
    (
        *(
            "id",
            "def",
            "list",
            "hide",
            "align",
            "leftmargin",
            "name",
            "color",
            "size",
            "style",
            "href",
            "tablabel",
        ),
        *(
            "columnspan",
            "rowspan",
            "bgcolor",
            "description",
            "alttext",
            "displayname",
            "caption",
            "html",
            "on",
        ),
        *(
            "database",
            "document",
            "view",
            "keepindentation",
            "inactivetext",
            "width",
            "path",
            "pardef",
            "onclick",
        ),
    )
)


@st.composite
def _element(draw: st.DrawFn, depth: int = 4) -> str:
    name = draw(st.sampled_from(_NAMES))
    said = draw(st.dictionaries(_ATTRIBUTE_NAMES, _VALUES, max_size=4))
    attributes = "".join(f" {key}='{_escaped(value)}'" for key, value in said.items())
    inside = "".join(draw(st.lists(_part(depth - 1), max_size=4))) if depth else ""
    return f"<{name}{attributes}>{inside}</{name}>"


def _part(depth: int) -> st.SearchStrategy[str]:
    text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8).map(_escaped)
    code = st.sampled_from(["1", "2", "b", "1f", "ffff", "d800", "x"]).map("<nonxmlchar value='{}'/>".format)
    image = st.sampled_from([f"<gif>{GIF}</gif>", "<jpeg>AAEC</jpeg>", "<cgm>AA==</cgm>"])
    return st.one_of(_element(depth), text, text, code, image)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")


def _text_of(element: ElementTree.Element) -> str:
    if element.get("class") == "char":
        return chr(int(element.get("data-code", ""), 16))
    inside = "".join(_text_of(child) + (child.tail or "") for child in element)
    return (element.text or "") + element.get("alt", "") + inside


class _Balance(HTMLParser):
    """What an HTML parser sees: every start tag that is not void has its end tag, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"br", "hr", "img", "col"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


_LINK = re.compile(r"(?:https?|mailto|notes):")
_STYLE = re.compile(r"(?:[a-z-]+:(?:[#\w.%-]+|'[\w .-]+');?)*")


@example("<picture alttext='a'>0</picture>")
@example(f"<par><picture alttext='a'><gif>{GIF}</gif>0</picture></par>")
@given(st.lists(_part(4), max_size=5).map("".join))
def test_whatever_the_document_says_the_page_is_well_formed_safe_and_says_the_same(body: str) -> None:
    richtext = node(body)
    markup = html_of(richtext)
    root = ElementTree.fromstring(markup)
    for element in root.iter():
        assert element.tag in TAGS
        assert {name for name in element.attrib if not name.startswith("data-")} <= ATTRIBUTES
        assert not element.get("href") or _LINK.match(element.get("href", ""))
        assert not element.get("src") or element.get("src", "").startswith("data:image/")
        assert _STYLE.fullmatch(element.get("style", ""))
    parser = _Balance()
    parser.feed(markup)
    parser.close()
    assert parser.open == []
    plain = "".join(run.text for run in runs_of(richtext)[0])
    assert _letters(_text_of(root)) == _letters(plain)


def _letters(text: str) -> str:
    return re.sub(r"[ \t\r\n\xa0\u0085]|\s", "", text)
