"""Real exports that others published: nothing of them is lost, by a count of another parser."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from connectors.lotus_notes.inspect import inspect_dxl

pytestmark = pytest.mark.samples

_RECORDS = {"document", "note", "profiledocument"}
_NO_TEXT = {"pardef", "code", "formula", "gif", "png", "jpeg", "cgm", "notesbitmap", "compositedata", "field"}


def exports(samples: Path) -> list[Path]:
    found = sorted(path for path in (samples / "dxl").iterdir() if path.suffix in {".xml", ".dxl"})
    assert found
    return [path for path in found if not path.name.startswith("dxlDatabaseBad")]


def parsed(path: Path) -> list[etree._Element]:
    """The records of an export, as lxml sees them."""
    parser = etree.XMLParser(load_dtd=False, resolve_entities=False, huge_tree=True)
    root = etree.parse(str(path), parser).getroot()
    for element in root.iter(etree.Element):
        element.tag = etree.QName(element).localname  # one of them has no namespace
    records = [element for element in (root, *root) if element.tag in _RECORDS]
    return [each for each in records if each.get("class", "document") == "document"]


def shown(element: etree._Element) -> str:
    parts = [element.text or ""]
    for child in element:
        parts += [
            shown(child) if isinstance(child.tag, str) and child.tag not in _NO_TEXT else "",
            child.tail or "",
        ]
    return "".join(parts)


def letters(text: str) -> Counter[str]:
    return Counter(letter for letter in text if not letter.isspace())


def test_every_record_item_letter_and_file_is_there(samples: Path) -> None:
    for path in exports(samples):
        records = parsed(path)
        found = list(inspect_dxl(path))
        assert [each["unreadable"] for each in found] == [[]] * len(records), path
        for record, said in zip(records, found, strict=True):
            items = record.findall("item")
            assert [item.get("name") for item in items] == [item["name"] for item in said["items"]]  # type: ignore[attr-defined]
            for item, told in zip(items, said["items"], strict=True):  # type: ignore[call-overload]
                _compare_item(item, told, path)
            _compare_files(record, said, path)


def _compare_item(item: etree._Element, told: dict[str, object], path: Path) -> None:
    (value,) = item
    assert value.tag == told["type"], path
    if told["type"] in {"text", "textlist", "number", "numberlist", "formula"}:
        assert letters("".join(value.itertext())) == letters("".join(told["values"])), path  # type: ignore[arg-type]
    if told["type"] in {"textlist", "numberlist", "datetimelist"}:
        assert len(value) == len(told["values"]), path  # type: ignore[arg-type]
    if told["type"] == "richtext":
        # Names of attachments, which Notes draws in their icons, are shown beside the text.
        assert letters(shown(value)) <= letters(str(told["text"])), path


def _compare_files(record: etree._Element, said: dict[str, object], path: Path) -> None:
    files = [
        (file.get("name"), base64.b64decode(file.findtext("filedata")))
        for file in record.iter("file")
        if not file.get("hosttype", "").startswith("bytearray")
    ]
    expected = [(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files]
    told = [(file["name"], file["size"], file["sha256"]) for file in said["attachments"]]  # type: ignore[attr-defined]
    assert told == expected, path
    pages = [file for file in record.iter("file") if file.get("hosttype") == "bytearraypage"]
    size = sum(len(base64.b64decode(page.findtext("filedata"))) for page in pages)
    assert sum(each["size"] for each in said["ole"]) == size, path  # type: ignore[attr-defined]


def test_totals_that_others_lose(samples: Path) -> None:
    found = [record for path in exports(samples) for record in inspect_dxl(path)]
    items = [item for record in found for item in record["items"]]  # type: ignore[attr-defined]
    assert len(found) == 111
    assert len(items) == 438
    assert Counter(item["type"] for item in items) == {
        "text": 216,
        "number": 66,
        "richtext": 48,
        "object": 43,
        "rawitemdata": 25,
        "textlist": 18,
        "datetime": 16,
        "numberlist": 3,
        "datetimelist": 3,
    }
    assert [each["sha256"] for record in found for each in record["ole"]] == [  # type: ignore[attr-defined]
        "80421938da02190b8b841e416869d8e8a696e93592e1d7a6ac49247710641c31"
    ]
