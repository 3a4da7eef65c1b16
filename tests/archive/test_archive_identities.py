"""The identities of rows: the same for one record and for a batch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archive.identities import document_id, document_ids, quarantine_id, quarantine_ids

KEYS = st.lists(st.tuples(st.text(max_size=320), st.text(max_size=12)), max_size=5)


def test_a_document_is_the_uuid5_of_its_source_and_key() -> None:
    assert str(document_id("notes_van_ban", "A" * 32)) == "179879af-85f3-52d6-9ef8-5bca10040b3d"


@given(KEYS)
def test_a_batch_gets_the_identities_of_its_records(pairs: list[tuple[str, str]]) -> None:
    source = "hộp thư đến"
    assert document_ids(source, [key for key, _ in pairs]) == [
        str(document_id(source, key)) for key, _ in pairs
    ]
    assert quarantine_ids(source, pairs) == [str(quarantine_id(source, *pair)) for pair in pairs]
