"""Rows as COPY's text format takes them: whatever a record holds, its neighbours' columns stay where they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.copying import array_text, copy_rows, lines
from archive.cursors import psycopg_cursor
from archive.stored_text import column_text

DOCUMENT = UUID("6f2b1c1e-5a0f-5b57-9d0a-3c9f6f0f7a11")


def test_every_kind_of_value_has_its_text() -> None:
    values = [
        DOCUMENT,
        7,
        None,
        True,
        False,
        date(2024, 2, 29),
        datetime(2026, 3, 2, 1, tzinfo=UTC),
        [],
        "Tỉnh ủy",
        "",
    ]
    assert lines([values]).decode() == (
        f"{DOCUMENT}\t7\t\\N\tt\tf\t2024-02-29\t2026-03-02T01:00:00+00:00\t{{}}\tTỉnh ủy\t\n"
    )


def test_signs_of_the_format_are_escaped() -> None:
    assert lines([["a\tb\nc\rd\\e", "\\N", None]]) == b"a\\tb\\nc\\rd\\\\e\t\\\\N\t\\N\n"


@pytest.mark.parametrize("odd", ["\\N", "a\tb", "a\nb", "a\rb", "\\", "a\0b", "\udcff", "\t\n"])
def test_a_row_has_the_same_text_alone_and_among_others(odd: str) -> None:
    rows: list[list[object]] = [
        ["x", None, 1],
        [odd, "y", None],
        [None, "z", date(2024, 2, 29)],
        ["", odd, 7],
    ]
    assert lines(rows) == b"".join(lines([row]) for row in rows)
    assert lines(rows).count(b"\n") == len(rows)
    assert lines(rows).count(b"\t") == 2 * len(rows)


def test_what_text_cannot_hold_is_a_visible_escape() -> None:
    assert lines([["a\0b", "\udcff"]]) == b"a\\\\x00b\t\\\\udcff\n"
    assert lines([[["a\0", 'b"c\\']]]).decode() == '{"a\\\\\\\\x00","b\\\\"c\\\\\\\\"}\n'


@pytest.mark.postgres
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.text(alphabet=st.characters(), max_size=40), st.lists(st.text(max_size=20), max_size=3)),
        max_size=4,
    )
)
def test_any_text_comes_back_from_the_table_as_it_went_in(
    engine: sa.Engine, rows: list[tuple[str, list[str]]]
) -> None:
    with engine.connect() as connection:
        cursor = psycopg_cursor(connection)
        cursor.execute("CREATE TABLE archive.copied (place int, words text, list text[])")
        copy_rows(
            cursor,
            "copied",
            ({"place": n, "words": text, "list": texts} for n, (text, texts) in enumerate(rows)),
        )
        cursor.execute("SELECT words, list FROM archive.copied ORDER BY place")
        assert cursor.fetchall() == [
            (column_text(text), list(map(column_text, texts))) for text, texts in rows
        ]
        cursor.execute("SELECT %s::text[]", (array_text(text for text, _ in rows),))
        assert cursor.fetchall() == [([column_text(text) for text, _ in rows],)]
        connection.rollback()
