"""Search: what is found, in which order, by whom, and how pages follow each other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.access_roles import Role
from archive.database import create_engine
from archive.excerpts import excerpt
from archive.indexing import index
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.outcomes import Archived
from archive.search import Found, search
from archive.search_query import Filters, Query
from schemas.document import Direction, Organ, RelationKind, Signer
from schemas.errors import ConfigurationError
from schemas.vocabulary import organs
from tests.archive.office_records import COMMITTEE, PEOPLE, archived, passed, relation
from tests.mappings.page_files import docx

pytestmark = pytest.mark.postgres

Load = Callable[..., None]
Keys = Callable[..., list[str]]


@pytest.fixture
def load(engine: sa.Engine, objects: ObjectStore, archive: Archive, batch: Callable[..., Batch]) -> Load:
    """Loads records as the next night of their source, and indexes them unless told not to."""
    nights = iter(range(1, 1000))

    def run(*records: Archived, source: str = "notes_van_ban_di", indexed: bool = True) -> None:
        archive.load(batch(f"dem-{next(nights)}", source=source), records)
        if indexed:
            index(engine, objects)

    return run


@pytest.fixture
def reader(archive_url: str, engine: sa.Engine) -> Iterator[sa.Engine]:
    made = create_engine(archive_url, Role.READER)
    yield made
    made.dispose()


@pytest.fixture
def clerk(archive_url: str, engine: sa.Engine) -> Iterator[sa.Engine]:
    made = create_engine(archive_url, Role.CLERK)
    yield made
    made.dispose()


@pytest.fixture
def keys(reader: sa.Engine) -> Keys:
    def ask(text: str = "", **filters: Any) -> list[str]:
        return [hit.source_key for hit in search(reader, Query(text, Filters(**filters))).hits]

    return ask


def on(day: int, key: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """Key and fields of a record of that day; a later day comes first among equals."""
    return key, {"issued": date(2025, 5, day), "number": str(700 + day), **fields}


def records(objects: ObjectStore, *made: tuple[str, dict[str, Any]]) -> list[Archived]:
    return [archived(objects, key, **fields) for key, fields in made]


@pytest.mark.parametrize(
    "spelling",
    [
        "160-KL/TU",
        "Số: 0160 – kl / tu",
        "160 kl.tu",
        "160KL TU",
        "160/KL-TU",
        unicodedata.normalize("NFD", "số 160-KL/TU"),
    ],
)
def test_a_number_is_found_in_any_spelling_and_stands_first(
    load: Load, objects: ObjectStore, keys: Keys, spelling: str
) -> None:
    cites = on(25, "cites", subject="Trả lời 160-KL/TU của Tỉnh ủy")
    load(*records(objects, on(1, "itself", number="160"), cites, on(2, "other", number="1160")))
    found = keys(spelling)
    assert found[0] == "itself"
    assert set(found) <= {"itself", "cites"}


def test_a_number_alone_finds_all_its_notations_first(load: Load, objects: ObjectStore, keys: Keys) -> None:
    load(
        *records(
            objects,
            on(1, "conclusion", number="160", notation="KL/TU"),
            on(2, "letter", number="160", notation="CV/TU"),
            on(3, "body", body="Có 160 đại biểu"),
        )
    )
    assert keys("160") == ["letter", "conclusion", "body"]


def test_words_as_spelled_stand_before_words_without_diacritics(
    load: Load, objects: ObjectStore, keys: Keys
) -> None:
    load(
        *records(
            objects,
            on(1, "spelled", subject="Về định mức xây dựng"),
            on(20, "bare", subject="Ve dinh muc xay dung"),
            on(21, "other", subject="Về đỉnh mực xây dựng"),
            on(22, "scattered", subject="Về mức của gia đình"),
            on(23, "in_body", subject="Thông báo", body="Theo định mức mới"),
        )
    )
    assert keys("định mức") == ["spelled", "scattered", "other", "bare", "in_body"]
    assert keys("dinh muc") == ["other", "bare", "spelled", "scattered", "in_body"]
    assert keys('"định mức"') == ["spelled", "in_body"]
    assert keys('"dinh muc"') == ["other", "bare", "spelled", "in_body"]
    assert keys(unicodedata.normalize("NFD", '"ĐỊNH MỨC"')) == ["spelled", "in_body"]


def test_a_word_typed_bare_beside_one_with_diacritics_is_meant_bare(
    load: Load, objects: ObjectStore, keys: Keys
) -> None:
    load(*records(objects, on(1, "committee", subject="Ủy ban"), on(2, "table", subject="Ủy bàn")))
    assert keys('"ủy ban"') == ["committee"]
    assert keys("ủy ban") == ["committee", "table"]
    assert keys('"uy ban"') == ["table", "committee"]


def test_where_a_tone_is_placed_makes_no_difference(load: Load, objects: ObjectStore, keys: Keys) -> None:
    load(
        *records(
            objects, on(1, "new", subject="Hoà bình, thuỷ lợi"), on(2, "old", subject="Hòa bình, thủy lợi")
        )
    )
    for asked in (
        "hoà bình",
        "hòa bình",
        '"thuỷ lợi"',
        '"thủy lợi"',
        unicodedata.normalize("NFD", '"hoà bình"'),
    ):
        assert keys(asked) == ["old", "new"], asked


def test_phrases_exclusions_and_beginnings(load: Load, objects: ObjectStore, keys: Keys) -> None:
    load(
        *records(
            objects,
            on(1, "phrase", subject="Ủy ban nhân dân tỉnh họp"),
            on(2, "mixed", subject="Dân ủy thác, ban nhân sự, nhân dân tỉnh; uỷ ban"),
            on(3, "pairs", subject="Uỷ ban nhân ái; ban nhân dân; nhân dân"),
            on(4, "none", subject="Chương trình công tác"),
        )
    )
    load(
        archived(
            objects,
            "body",
            number="9",
            subject="Dân quân",
            body="Báo cáo mật của đội",
            issued=date(2024, 1, 1),
        )
    )
    assert keys("quân -mật") == []
    assert keys("quân -mắt -cáo") == []
    assert keys("quân -mắt") == ["body"]
    assert keys('"ủy ban nhân dân"') == ["phrase"]
    assert keys("ủy ban nhân dân") == ["phrase", "pairs", "mixed"]
    assert keys('nhân dân -"ủy ban nhân dân"') == ["pairs", "mixed"]
    assert keys("dân -họp") == ["pairs", "mixed", "body"]
    assert keys("dân -hop -ai") == ["mixed", "body"]
    assert keys("dân -hớp") == ["pairs", "mixed", "phrase", "body"]
    assert keys("chươ*") == ["none"]
    assert keys("cong* tac*") == ["none"]
    assert keys("-dân") == ["none"]
    assert keys("trình", first=date(2025, 5, 5)) == []


@pytest.mark.parametrize(
    "odd", ["'", "\\", "&|!", "(", "a:*", "<->", "-", '"', '""', "*", "%", "'; DROP", '-"', "\0"]
)
def test_nothing_that_is_typed_is_an_operator_of_the_database(load: Load, keys: Keys, odd: str) -> None:
    keys(odd)
    keys(f"dân{odd}", organ=odd, signer=odd, type=odd, source=odd)


def test_a_phrase_is_found_however_often_its_words_stand_before(
    load: Load, objects: ObjectStore, keys: Keys
) -> None:
    often = "Sở của tỉnh, nhà của xã. " * 150  # more of one word than PostgreSQL keeps places of
    load(
        *records(
            objects,
            on(1, "end", body=f"{often} Điều lệ của hội."),
            on(2, "scattered", body=f"{often} Điều, lệ, hội"),
            on(3, "short", body="Hội của điều lệ"),
        )
    )
    assert "end" in keys('"điều lệ của hội"')
    assert "short" not in keys('"điều lệ của hội"')
    # Where a phrase cannot be checked, its words do not make a document unwanted.
    assert keys('điều -"lệ của hội"') == ["short", "scattered", "end"]
    assert keys('điều -"hội lệ"') == ["short", "scattered", "end"]
    assert keys('điều -"lệ hội"') == ["short", "end"]
    assert keys('điều -"sở của"') == ["short"]


def test_each_filter(load: Load, objects: ObjectStore, keys: Keys) -> None:
    load(
        *records(
            objects,
            on(
                1, "old", type_name="Quyết định", type_code="QĐ", signers=(Signer(full_name="Trần Thị Bình"),)
            ),
            on(9, "signed", files={"a.pdf": b"%PDF-1.4 x"}, verdicts=(passed(),)),
            on(10, "people", issuer=PEOPLE, direction=Direction.INCOMING),
        )
    )
    load(archived(objects, "elsewhere", source="dieu_hanh", number="9", issued=None), source="dieu_hanh")
    assert keys() == ["elsewhere", "people", "signed", "old"]
    assert keys(first=date(2025, 5, 9)) == ["people", "signed"]
    assert keys(first=date(2025, 5, 9), last=date(2025, 5, 9)) == ["signed"]
    assert keys(last=date(2025, 5, 1)) == ["old"]
    assert keys(type="qđ") == keys(type="quyết định") == keys(type="quyet dinh") == ["old"]
    assert keys(signer="trần thị bình") == keys(signer="thi binh") == ["old"]
    assert keys(signer="Tỉnh ủy Sông Hương") == ["signed"]
    assert keys(organ="ủy ban nhân dân tỉnh sông hương") == keys(organ="uy ban") == ["people"]
    assert keys(organ="000.00.02.h99") == ["people"]
    assert keys(verdict="TOTAL_PASSED") == ["signed"]
    assert keys(source="dieu_hanh") == ["elsewhere"]
    assert keys(direction="incoming") == ["people"]
    assert keys(kind="status") == []
    assert keys(file="pdf") == ["signed"]
    assert keys("kết luận chuyển đổi", organ="uy ban", direction="incoming") == ["people"]
    assert keys("701", type="QĐ") == ["old"]
    assert keys("701", type="CV") == []


def test_a_former_code_finds_its_organ(load: Load, objects: ObjectStore, keys: Keys) -> None:
    term = next(term for term in organs() if term.former_codes)
    load(archived(objects, "now", issuer=Organ(name=term.name, organ_id=term.code)))
    assert keys(organ=term.former_codes[0]) == ["now"]


def test_text_of_files_is_found_and_shown(load: Load, objects: ObjectStore, reader: sa.Engine) -> None:
    load(archived(objects, "k1", files={"Phụ lục.docx": docx("Danh mục hồ chứa nước Tả Trạch")}))
    (hit,) = search(reader, Query("ho chua nuoc")).hits
    (cut,) = hit.excerpts
    assert (cut.place, cut.name) == ("file", "Phụ lục.docx")
    assert [cut.text[a:b] for a, b in cut.marks] == ["hồ", "chứa", "nước"]


def test_excerpts_are_of_the_text_as_written(load: Load, objects: ObjectStore, reader: sa.Engine) -> None:
    body = "Mở đầu. " * 200 + "Xã Đình Cả có nhà máy thủy điện, HOÀ lưới\nđiện. " + "Hết. " * 200
    load(archived(objects, "k1", subject="Báo cáo", body=unicodedata.normalize("NFD", body)))
    (hit,) = search(reader, Query("thuỷ điện hòa luoi*")).hits
    (cut,) = hit.excerpts
    assert [cut.text[a:b] for a, b in cut.marks] == ["thủy", "điện", "HOÀ", "lưới", "điện"]
    assert "\n" not in cut.text
    assert len(cut.text) < 300


def facet(found: Found, name: str) -> dict[str | None, int]:
    return {item.value: item.documents for item in found.facets[name]}


def test_facets_count_what_is_found(load: Load, objects: ObjectStore, reader: sa.Engine) -> None:
    load(
        *records(
            objects,
            on(1, "a", files={"a.pdf": b"%PDF-1.4 x", "b.pdf": b"%PDF-1.4 y"}),
            on(2, "b", issuer=PEOPLE, type_name="Công văn", type_code=None),
            on(3, "c", subject="Thông báo", body=""),
        )
    )
    found = search(reader, Query("chuyển đổi số"), facets=True, limit=1)
    assert (found.counted, found.is_all, len(found.hits)) == (2, True, 1)
    assert facet(found, "type") == {"kl": 1, "cong van": 1}
    assert facet(found, "organ") == {COMMITTEE.organ_id: 1, PEOPLE.organ_id: 1}
    assert facet(found, "year") == {"2025": 2}
    assert facet(found, "file") == {"pdf": 1}
    assert facet(search(reader, Query("701"), facets=True), "source") == {"notes_van_ban_di": 1}


def test_a_recalled_document_is_nowhere_but_for_a_clerk_who_asks(
    load: Load, objects: ObjectStore, reader: sa.Engine, clerk: sa.Engine, keys: Keys
) -> None:
    load(*records(objects, on(1, "secret", body="Mật khẩu hội nghị"), on(2, "kept")))
    recall = relation(RelationKind.RECALLS, number="701", notation="KL/TU", issued_date=date(2025, 5, 1))
    taken_back = archived(
        objects, "recall", number="800", relations=(recall,), subject="Thu hồi", type_name="Công văn"
    )
    load(taken_back, indexed=False)
    for _ in ("before the index knows", "afterwards"):
        assert "secret" not in keys()
        assert keys("mật khẩu", recalled=True) == []
        found = search(reader, Query("kết luận", Filters(recalled=True)), facets=True)
        assert (found.counted, [hit.source_key for hit in found.hits]) == (1, ["kept"])
        load()
    (hit,) = search(clerk, Query("mật khẩu", Filters(recalled=True))).hits
    assert (hit.source_key, hit.recalled, hit.excerpts[0].text) == ("secret", True, "Mật khẩu hội nghị")
    assert search(clerk, Query("mật khẩu")).hits == ()
    load(archived(objects, "recall", revision="2", number="800", subject="Thông báo"))
    assert keys("mật khẩu") == ["secret"]


def test_what_a_class_closes_is_nowhere_from_that_moment(
    load: Load, objects: ObjectStore, engine: sa.Engine, reader: sa.Engine, clerk: sa.Engine, keys: Keys
) -> None:
    load(*records(objects, on(1, "own", body="Hồ sơ đảng viên"), on(2, "kept")))
    documents = [hit.document for hit in search(reader, Query("đảng viên")).hits]
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE archive.document SET access = 'personal' WHERE source_key = 'own'")
        )
    # All of few documents at once, and level by level: both ask for the class.
    for text in ("đảng viên", "701", '"hồ sơ đảng viên"', "đảng*", "", "-xyz"):
        for size in (1, 20):
            page = search(reader, Query(text), limit=size, facets=True)
            assert "own" not in [hit.source_key for hit in page.hits], text
            assert page.after is None, text
            assert page.counted == len(page.hits), text
    assert keys() == keys("-xyz") == ["kept"]
    asked = {"ids": documents, "words": ["dang"]}
    with reader.connect() as connection:
        assert connection.execute(PIECES, asked).all() == []
    assert [hit.source_key for hit in search(clerk, Query("đảng viên")).hits] == ["own"]
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.document SET access = 'sealed' WHERE source_key = 'own'"))
    for text in ("đảng viên", ""):
        page = search(clerk, Query(text, Filters(recalled=True)), facets=True)
        assert "own" not in [hit.source_key for hit in page.hits]
        assert page.counted == len(page.hits)
    with clerk.connect() as connection:
        assert connection.execute(PIECES, asked).all() == []


PIECES = sa.text(
    """SELECT place, text FROM archive.search_pieces(CAST(:ids AS uuid[]), CAST(:words AS text[]),
      array_fill(false, ARRAY[cardinality(CAST(:words AS text[]))]))"""
)


def test_who_searches_is_given_no_whole_text(load: Load, objects: ObjectStore, reader: sa.Engine) -> None:
    """To read a text is to read its file, which leaves a trace: the functions of searching show a piece of it."""
    body = " ".join(f"doan{number} gạch đầu dòng" for number in range(2_000))
    load(*records(objects, on(1, "long", body=body)))
    (hit,) = search(reader, Query("doan1500")).hits
    ids = [hit.document]
    with reader.connect() as connection:
        ((place, text),) = connection.execute(PIECES, {"ids": ids, "words": ["doan1500"]}).all()
        assert (place, len(text) <= 600, "doan1500 gạch" in text) == ("body", True, True)
        # Neither everything at once, nor by something that is no word.
        every = connection.execute(PIECES, {"ids": ids * 200, "words": ["gach", "dau", "dong"] * 13}).all()
        assert [len(text) for _, text in every] == [600]
        for words in ([], ["xyz"], [".*"], ["x|.{0,}"], ["[^x]*"], [""], [None]):
            assert connection.execute(PIECES, {"ids": ids, "words": words}).all() == []


TYPED = st.lists(
    st.sampled_from(
        ["chuyển", "Đổi", "SỐ", "hoà", "hòa", "đ", "a1", "Ðảng", "ma\n", "160-KL/TU", "“số”", "số1"]
    ),
    max_size=60,
).map(" ".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=TYPED,
    before=st.integers(0, 40) | st.integers(1_950, 2_010),
    words=st.lists(
        st.tuples(st.sampled_from(["chuyen", "doi", "so", "hoa", "d", "dang", "160", "s"]), st.booleans()),
        min_size=1,
        max_size=3,
        unique=True,
    ),
)
def test_the_piece_shows_what_an_excerpt_of_the_whole_text_shows(
    engine: sa.Engine, text: str, before: int, words: list[tuple[str, bool]]
) -> None:
    """Also where the database looks through a long text in parts: no half of a word counts as one."""
    asked = sa.text("SELECT archive.search_piece(:text, archive.search_patterns(:words, :beginnings))")
    text = unicodedata.normalize("NFC", "kế " * before + text + " khoan" * before)
    folded, beginnings = (list(column) for column in zip(*words, strict=True))
    with engine.connect() as connection:
        piece = connection.scalar(asked, {"text": text, "words": folded, "beginnings": beginnings})
    whole = excerpt("body", None, text, words)
    assert (piece is None) == (whole is None)
    if piece is not None and whole is not None:
        shown = excerpt("body", None, piece, words)
        assert shown is not None
        assert len(shown.marks) > 0
        assert shown.text in re.sub(r"\s", " ", text)


@pytest.mark.parametrize("table", ["search_entry", "search_body", "extracted_text"])
def test_the_index_itself_is_closed_to_readers(reader: sa.Engine, clerk: sa.Engine, table: str) -> None:
    for one in (reader, clerk):
        with one.connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            connection.execute(sa.text(f"SELECT * FROM archive.{table}"))


def test_a_cursor_is_of_its_search(load: Load, objects: ObjectStore, reader: sa.Engine) -> None:
    load(*records(objects, on(1, "a"), on(2, "b"), on(3, "c")))
    after = search(reader, Query("kết luận"), limit=1).after
    assert after is not None
    for cursor, query in (
        (after, Query("luận")),
        ("x", Query()),
        (after[:-4], Query("kết luận")),
        ("bnVsbA", Query()),
    ):
        with pytest.raises(ConfigurationError, match="cannot be continued"):
            search(reader, query, after=cursor)


def test_too_many_words_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="too many words"):
        Query("a " * 41)


PLACES = {
    "symbol": {"number": "55", "notation": "CV/TU", "subject": "Mời họp"},
    "near": {"subject": "Công văn 55 CV TU mời họp"},
    "head": {"subject": "Mời 55 cán bộ họp về CV, TU"},
    "body_near": {"subject": "Mời họp", "body": "theo công văn 55-CV/TU"},
    "body": {"subject": "Mời họp", "body": "TU và 55 CV"},
}


@pytest.fixture
def paged(load: Load, objects: ObjectStore) -> list[str]:
    made = [
        archived(
            objects,
            f"{place}-{day}",
            issued=date(2025, 1, 1) + timedelta(days=day // 2),
            **{"number": f"{n}00{day}", **fields},
        )
        for n, (place, fields) in enumerate(PLACES.items(), start=1)
        for day in range(6)
    ]
    load(*made)
    return [record.processed.document.source_key for record in made]


def test_pages_follow_each_other_while_documents_arrive(
    load: Load, objects: ObjectStore, reader: sa.Engine, paged: list[str]
) -> None:
    whole = [hit.source_key for hit in search(reader, Query("55 CV TU"), limit=100).hits]
    assert sorted(whole) == sorted(paged)
    assert [key.partition("-")[0] for key in whole[::6]] == list(PLACES)
    for size in (1, 4, 7):
        seen: list[str] = []
        after = None
        arriving = iter((("near", 3), ("body", 1), ("symbol", 5)) if size == 4 else ())
        while True:
            found = search(reader, Query("55 CV TU"), limit=size, after=after)
            seen += [hit.source_key for hit in found.hits]
            after = found.after
            if after is None:
                break
            for place, day in [next(arriving, ("", 0))]:
                if place:
                    load(
                        archived(
                            objects,
                            f"new-{place}",
                            issued=date(2025, 1, 1 + day),
                            **{"number": "1", **PLACES[place]},
                        )
                    )
        assert len(seen) == len(set(seen))
        assert [key for key in seen if not key.startswith("new")] == whole


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.sampled_from(["", "55", "55 CV TU", "mời", "họp -cán", '"55 cv tu"', "mo* tu", "theo công văn"]),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    days=st.sampled_from([(None, None), (date(2025, 1, 2), None), (None, date(2025, 1, 2))]),
)
def test_pages_of_any_size_are_the_whole_in_its_order(
    reader: sa.Engine, paged: list[str], text: str, sizes: list[int], days: tuple[date | None, date | None]
) -> None:
    query = Query(text, Filters(first=days[0], last=days[1]))
    whole = search(reader, query, limit=200, excerpts=False)
    assert whole.after is None
    seen, after, turn = [], None, 0
    while turn == 0 or after:
        found = search(reader, query, limit=sizes[turn % len(sizes)], after=after, excerpts=False)
        seen += found.hits
        after, turn = found.after, turn + 1
    assert [replace(hit, excerpts=()) for hit in seen] == list(whole.hits)
