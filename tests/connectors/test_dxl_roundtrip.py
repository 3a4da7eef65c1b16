"""Whatever the DTD allows comes back: every value, every letter, every byte, in order, from any encoding."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings

from connectors.lotus_notes.attachments import OLE_TYPE
from connectors.lotus_notes.dxl import PRINTED
from connectors.lotus_notes.folder import DxlFolder
from schemas.record import Content, SourceRecord, Unreadable, Window
from tests.connectors.dxl_strategies import MadeExport, MadeRecord, exports


def data(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()


def check(answer: SourceRecord | Unreadable, made: MadeRecord) -> None:
    assert isinstance(answer, SourceRecord), (answer, made.xml)
    assert answer.defects == ()
    assert (answer.fields[0].name, answer.fields[0].type) == ("$document", made.element)
    assert answer.form == made.form
    assert answer.listing.key.endswith(made.unid)
    printed = len(answer.fields) - len(made.items)
    assert {field.name for field in answer.fields[:printed]} <= PRINTED
    noteinfo = [field for field in answer.fields[:printed] if field.name.startswith("$noteinfo.")]
    assert {field.name: field.values for field in noteinfo} == made.noteinfo
    for field, item in zip(answer.fields[printed:], made.items, strict=True):
        assert (field.name, field.type) == (item.name, item.kind)
        if item.letters is None:
            assert field.values == item.values
        else:
            assert "".join(field.text.split()) == item.letters
    found = [(file.name, data(file.content), file.item) for file in answer.attachments]
    assert found == [(file.name, file.data, file.item) for file in made.files]
    assert [file.declared_type == OLE_TYPE for file in answer.attachments] == [f.ole for f in made.files]


@settings(max_examples=settings().max_examples // 2, deadline=None)
@given(exports())
def test_everything_comes_back(made: MadeExport) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "export.dxl")
        path.write_bytes(made.data)
        source = DxlFolder("made", path)
        answers = list(source.records())
        for answer, record in zip(answers, made.records, strict=True):
            check(answer, record)
        again = list(source.fetch(list(source.inventory(Window()))))
        assert [answer.listing for answer in again] == [answer.listing for answer in answers]
        for answer, record in zip(again, made.records, strict=True):
            check(answer, record)
