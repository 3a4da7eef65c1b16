"""Two hundred generated packages with injected faults, each class alone and many together, read exactly."""

from __future__ import annotations

import random

import pytest

from connectors.operations.defects import CLASSES
from connectors.operations.edxml import NESTED, parse_edxml
from connectors.operations.element_path import find_all, walk
from schemas.record import BytesContent, Listing, SourceRecord, chunks
from tests.connectors.edxml_faults import (
    FAULTS,
    Case,
    combination,
    expected_attachments,
    expected_leaves,
    plain_case,
    spoiled,
)

_COMBINATIONS = 140


def _check(case: Case) -> None:
    data = case.write()
    record = parse_edxml(Listing("k", "r", "l"), BytesContent(data), {})
    assert isinstance(record, SourceRecord), record
    assert b"".join(chunks(record.original)) == data
    leaves: dict[str, tuple[str, ...]] = {}
    for part in ("MessageHeader", "TraceHeaderList"):
        for parent in find_all(record.fields, part):
            for path, field in walk(parent.children):
                if not field.children:
                    leaves[path] = (*leaves.get(path, ()), field.text)
    assert leaves == expected_leaves(case)
    own = [file for file in record.attachments if file.item.count("/Attachment[") <= 1]
    assert [
        (file.name, b"".join(chunks(file.content)), file.defects) for file in own
    ] == expected_attachments(case)
    inside = [file for file in record.attachments if file.item.count("/Attachment[") > 1]
    assert len(inside) == sum(field.name == NESTED for field in record.fields)
    assert sorted(defect.code for defect in record.defects) == sorted(case.defects)
    assert all(defect.where for defect in record.defects)


@pytest.mark.parametrize("seed", range(8))
def test_a_package_without_a_fault_has_no_defect(seed: int) -> None:
    _check(plain_case(random.Random(seed)))


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_alone_is_read_around_and_named(name: str) -> None:
    _check(spoiled((name,), random.Random(name)))


@pytest.mark.parametrize("seed", range(_COMBINATIONS))
def test_faults_together_are_all_read_around_and_named(seed: int) -> None:
    chance = random.Random(seed)
    _check(spoiled(combination(chance), chance))


def test_every_fault_gives_classes_that_the_table_knows() -> None:
    assert {code for fault in FAULTS.values() for code in fault.defects} <= set(CLASSES)
