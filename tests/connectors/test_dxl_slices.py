"""How an export is cut: exact bytes, and each loss by itself."""

from __future__ import annotations

import io
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.encoding import Encoding, detect
from connectors.lotus_notes.slices import Loss, Slice, Slices
from tests.connectors.dxl_builder import database, document, item, text_item


def cut(data: bytes, block: int = 4 << 20) -> tuple[list[Slice | Loss], Counter[str]]:
    encoding = detect(data[:1024])
    assert isinstance(encoding, Encoding)
    slices = Slices(ByteReader(io.BytesIO(data), len(data), encoding.width, block), encoding)
    return list(slices), slices.skipped


def records(data: bytes, block: int = 4 << 20) -> list[bytes]:
    return [data[piece.start : piece.end] for piece in cut(data, block)[0] if isinstance(piece, Slice)]


def losses(data: bytes) -> list[tuple[str, int, int]]:
    return [(piece.reason, piece.start, piece.line) for piece in cut(data)[0] if isinstance(piece, Loss)]


A, B, C = (document(number, text_item("TrichYeu", f"Công văn số {number}")) for number in (1, 2, 3))


def test_records_are_their_exact_bytes_and_design_is_counted() -> None:
    profile = "<profiledocument name='CauHinh'/>"
    note = "<note class='document'><item name='Form'><text>Memo</text></item></note>"
    data = database(
        "<form name='f'><noteinfo/><item name='$TITLE'><text>f</text></item></form>",
        A,
        "<note default='true' class='icon'><noteinfo/></note>",
        profile,
        "<view name='v'/>",
        note,
        "<agent name='a'><documentset type='runonce'/></agent>",
        B,
    ).encode()
    assert records(data) == [piece.encode() for piece in (A, profile, note, B)]
    assert losses(data) == []
    assert cut(data)[1] == {"form": 1, "view": 1, "agent": 1, "note:icon": 1}


@pytest.mark.parametrize("root", [A, "<note class='document'/>", "<note class='document' >\n</note >"])
def test_a_record_may_be_the_root(root: str) -> None:
    data = f"<?xml version='1.0'?>\n<!-- <document> -->\n{root}\n".encode()
    assert records(data) == [root.encode()]
    assert losses(data) == []


@pytest.mark.parametrize(
    "decoy",
    [
        "<item name='a'><text><![CDATA[</document><document form='x'>]]></text></item>",
        "<item name='a'><text><!-- </document> --></text></item>",
        "<?agent </document> ?>",
        "<item name='a &gt; \"b\"' note='/>'><text>&lt;/document></text></item>",
        "<documents/><note.x/>",
    ],
)
def test_what_only_looks_like_the_end_of_a_record_is_not(decoy: str) -> None:
    piece = document(1, decoy)
    data = database(piece, B).encode()
    assert records(data) == [piece.encode(), B.encode()]
    assert losses(data) == []


@pytest.mark.parametrize(
    "broken",
    [
        A.removesuffix("</document>"),
        A.removesuffix("</item></document>"),
        document(1, "<item name='a'><text><![CDATA[ bị cắt").removesuffix("</document>"),
        document(1, "<item name='a'><text><!-- bị cắt").removesuffix("</document>"),
        document(1, "<?bị cắt").removesuffix("</document>"),
        document(1, "<item name='a"),
    ],
)
def test_a_broken_record_costs_itself_only(broken: str) -> None:
    data = database(A, broken, B, C).encode()
    found = [piece for piece in cut(data)[0] if isinstance(piece, Loss)]
    kept = records(data)
    assert kept[0] == A.encode()
    assert kept[-2:] == [B.encode(), C.encode()]
    if broken.endswith("</document>"):
        assert (kept[1], found) == (broken.encode(), [])  # whole by its tags; fetching it says what is wrong
    else:
        start = data.index(broken.encode(), data.index(A.encode()) + len(A.encode()))
        line = data[:start].count(b"\n") + 1
        assert [(loss.reason, loss.start, loss.line) for loss in found] == [("record_truncated", start, line)]


def test_a_cdata_section_that_holds_a_record_is_believed_where_the_record_is_well_formed_so() -> None:
    quoting = document(1, item("Body", f"<text><![CDATA[{A}{B}]]></text>"))
    data = database(quoting, C).encode()
    assert records(data) == [quoting.encode(), C.encode()]


def test_an_unclosed_cdata_section_does_not_swallow_records_up_to_the_next_one_that_closes() -> None:
    open_one = document(1, "<item name='a'><text><![CDATA[ mở").removesuffix("</document>")
    closing = document(2, "<item name='a'><text><![CDATA[ đóng ]]></text></item>")
    data = database(open_one, A, closing, B).encode()
    assert records(data) == [A.encode(), closing.encode(), B.encode()]
    assert [reason for reason, _, _ in losses(data)] == ["record_truncated"]


def test_an_export_that_ends_inside_a_record() -> None:
    data = database(A, B).encode()[:-40]
    assert records(data) == [A.encode()]
    assert losses(data) == [("record_truncated", data.index(B[:60].encode()), 9)]


def test_an_export_that_ends_between_records_says_that_more_may_be_missing() -> None:
    data = database(A, B).encode().removesuffix(b"</database>\n")
    assert records(data) == [A.encode(), B.encode()]
    assert losses(data) == [("export_truncated", len(data), 11)]


def test_a_record_whose_start_was_lost() -> None:
    data = database(A, B.replace("<document", "<docu nt"), C).encode()
    assert records(data) == [A.encode(), C.encode()]
    assert losses(data) == [("start_tag_lost", data.index(A.encode()) + len(A.encode()), 8)]


def test_rubbish_between_records() -> None:
    data = database(A, "<form><oops></form>", B, "<view/>", C).encode()
    found, skipped = cut(data)
    assert records(data) == [A.encode(), B.encode(), C.encode()]
    assert [piece.reason for piece in found if isinstance(piece, Loss)] == ["container_malformed"]
    assert skipped["view"] == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"%PDF-1.4 no xml at all", "not_dxl"),
        (b"<html><form action='/names.nsf?Login'/></html>", "not_dxl"),
        (b"<viewentries toplevelentries='1'><viewentry/></viewentries>", "not_dxl"),
        (b"<document xmlns='http://docbook.org/ns/docbook'/>", "not_dxl"),
        (database().encode(), "no_record"),
        (database("<mystery/>").encode(), "no_record"),
        (b"<?xml version='1.0'?><!-- only a comment", "not_dxl"),
    ],
)
def test_a_file_without_records_is_one_loss(data: bytes, reason: str) -> None:
    found, _ = cut(data)
    assert [piece.reason for piece in found if isinstance(piece, Loss)] == [reason]
    assert len(found) == 1
    assert (found[0].start, found[0].end) == (0, len(data))


def test_a_doctype_is_tolerated_and_its_decoys_are_passed() -> None:
    prolog = (
        "<?xml version='1.0'?>\n<!DOCTYPE database SYSTEM 'xmlschemas/domino_8_5_3.dtd' "
        "[<!ELEMENT document ANY><!-- ]> <document> -->]>\n"
    )
    data = database(A, prolog=prolog).encode()
    assert records(data) == [A.encode()]


def test_entities_that_a_file_declares_are_never_expanded() -> None:
    prolog = "<!DOCTYPE database [<!ENTITY a '<document/>'><!ENTITY b \"&a;&a;\">]>\n"
    data = database(A, B, prolog=prolog).encode()
    assert records(data) == [A.encode(), B.encode()]
    found, _ = cut(database(A, "&b;", B, prolog=prolog).encode())
    assert [piece.reason if isinstance(piece, Loss) else piece.element for piece in found] == [
        "document",
        "container_malformed",
        "document",
    ]


def test_two_exports_in_one_file_keep_their_own_replica_ids() -> None:
    data = (database(A, replica="A" * 16) + database(B, replica="B" * 16)).encode()
    pieces = [piece for piece in cut(data)[0] if isinstance(piece, Slice)]
    assert [piece.root.attributes["replicaid"] for piece in pieces] == ["A" * 16, "B" * 16]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_other_encodings_by_mark_or_shape(codec: str) -> None:
    text = database(A, "<view/>", B, A.removesuffix("</document>"), prolog="")
    data = text.encode(codec)
    name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(codec, codec)
    found, skipped = cut(data)
    assert records(data) == [A.encode(name), B.encode(name)]
    assert [piece.reason for piece in found if isinstance(piece, Loss)] == ["record_truncated"]
    assert skipped == {"view": 1}


def test_letters_whose_utf16_bytes_look_like_markup_do_not_mislead() -> None:
    # U+3C00 U+2F00 … read one byte off is "<", "/", … in the other byte order
    decoy = "".join(chr(ord(letter) << 8) for letter in "</document>")
    piece = document(1, text_item("a", decoy))
    for codec in ("utf-16-le", "utf-16-be"):
        data = database(piece, B, prolog="").encode(codec)
        assert records(data) == [piece.encode(codec), B.encode(codec)]


def test_a_namespace_prefix() -> None:
    data = (
        b"<d:database xmlns:d='http://www.lotus.com/dxl'><d:form/><d:document form='a'><d:item name='x'/>"
        b"</d:document></d:database>"
    )
    assert records(data) == [b"<d:document form='a'><d:item name='x'/></d:document>"]
    assert cut(data)[1] == {"form": 1}


def test_blocks_do_not_matter() -> None:
    long = document(4, text_item("Body", "x" * 300_000))
    data = database(A, long, B * 40, "<form/>" * 30_000, C).encode()
    assert records(data, block=1) == records(data) == [each.encode() for each in (A, long, *[B] * 40, C)]


@given(
    st.lists(
        st.sampled_from(
            [A, B, "<form/>", "<!-- x -->", "<document", "</document>", "<![CDATA[", "]]>", "'", "\n"]
        ),
        max_size=12,
    )
)
def test_any_mixture_is_cut_without_overlap_and_without_losing_a_record_that_stands_free(
    parts: list[str],
) -> None:
    data = database(*parts).encode()
    pieces, skipped = cut(data)
    assert pieces or skipped
    for before, after in pairwise(pieces):
        assert before.end <= after.start
    if not any(
        part.startswith(("<document", "</document", "<![CDATA")) and part not in {A, B} for part in parts
    ):
        expected = [part.encode() for part in parts if part in {A, B}]
        assert records(data) == expected


@pytest.mark.parametrize(
    ("data", "skipped"),
    [
        (database("<form name='f'/>", "<note class='icon'/>"), {"form": 1, "note:icon": 1}),
        ("<form xmlns='http://www.lotus.com/dxl' name='f'><noteinfo/></form>", {"form": 1}),
        ("<d:view xmlns:d='http://www.lotus.com/dxl'/>", {"view": 1}),
        ("<note xmlns='http://www.lotus.com/dxl' class='form'/>", {"note:form": 1}),
    ],
)
def test_a_file_of_design_alone_is_counted_and_no_loss(data: str, skipped: dict[str, int]) -> None:
    assert cut(data.encode()) == ([], skipped)


def test_a_comment_that_lost_its_end_takes_no_record_with_it() -> None:
    commented = B.replace("</document>", "<!-- một ghi chú --></document>")
    data = database(A, "<dont form='x'> <!-- mở ra rồi thôi", commented, C).encode()
    assert records(data) == [piece.encode() for piece in (A, commented, C)]
    assert len(losses(data)) == 1
