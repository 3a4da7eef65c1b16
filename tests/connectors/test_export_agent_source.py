"""The LotusScript agent, as far as it can be held to its word without a Domino server: no test here compiles it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from connectors.lotus_notes import agent_answers, drop_manifest
from demo import domino_agent

FOLDER = Path(agent_answers.__file__).parent / "agent"
HTTP, DROP = "LienthongExport.lss", "LienthongDrop.lss"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
PROTOCOL = README.partition("## Protocol")[2].partition("\n## ")[0]

# Of documents, items and files in them; then of databases, collections, views, agents, profiles, the server.
WRITING = re.findall(
    r"\w+",
    """
    Save AppendItemValue ReplaceItemValue ReplaceHTML CopyItem CopyAllItems CopyToDatabase CopyItemToDocument
    RemoveItem Remove RemovePermanently MakeResponse PutInFolder RemoveFromFolder MarkRead MarkUnread Sign Encrypt
    Send CreateReplyMessage CreateRichTextItem CreateMIMEEntity CloseMIMEEntities ConvertToMIME ComputeWithForm
    AttachVCard Lock LockProvisional Unlock RenderToRTItem AppendText AppendToTextList EmbedObject Update
    CreateDocument CreateView CreateCopy CreateFromTemplate CreateReplica CreateOutline CreateFTIndex Compact
    CompactWithOptions Fixup UpdateFTIndex UpdateDesignTask Replicate EnableFolder GrantAccess RevokeAccess
    SetOption MarkForDelete Sign StampAll StampAllMulti RemoveAll RemoveAllFromFolder PutAllInFolder MarkAllRead
    MarkAllUnread UpdateAll UpdateProcessedDoc DeleteDocument GetProfileDocument SetEnvironmentVar Run RunOnServer
    CreateDXLImporter Import SendConsoleCommand
    """,
)


def _source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="ascii")


def _code(name: str) -> str:
    """The statements of a source: no block comment, no strings, no comments at line ends; continued lines joined."""
    text = re.sub(r"%REM.*?%END REM", "", _source(name), flags=re.DOTALL)
    text = re.sub(r'"(?:[^"]|"")*"', '""', text)
    text = re.sub(r"'.*", "", text)
    return re.sub(r"_\n", " ", text)


@pytest.mark.parametrize("name", [HTTP, DROP])
def test_no_method_that_changes_anything_in_notes_is_called(name: str) -> None:
    called = {word.lower() for word in re.findall(r"[\w$]+", _code(name))}

    assert not called & {method.lower() for method in WRITING}
    # Nor is an item given a value as if it were a property, which LotusScript allows.
    assert not re.search(r"\bdoc\.\w+\s*(\([^)]*\))?\s*=", _code(name), re.IGNORECASE)


def test_the_search_for_writing_methods_finds_one() -> None:
    called = re.findall(r"[\w$]+", "Call doc.Save(True, False)")

    assert set(WRITING) & set(called) == {"Save"}


@pytest.mark.parametrize("name", [HTTP, DROP])
def test_every_block_is_closed_and_every_assigned_variable_is_declared(name: str) -> None:
    lines = [line.strip() for line in _code(name).splitlines() if line.strip()]
    opened: list[str] = []
    declared: set[str] = set()
    for line in lines:
        if found := re.match(r"(?:Public |Private )?(Sub|Function) (\w+)\s*(?:\((.*)\))?", line):
            opened.append(found[1])
            names = re.findall(r"(\w+)(?: List)? As ", found[3] or "")
            declared = declared - {n for n in declared if n.startswith("local ")}
            declared |= {f"local {n.lower()}" for n in (found[2], *names)}
        elif re.match(r"If .* Then$", line):
            opened.append("If")
        elif found := re.match(r"(Do|Forall|For|Select)\b", line):
            opened.append(found[1])
            if found[1] == "Forall":
                declared.add(f"local {line.split()[1].lower()}")
        elif found := re.match(r"(End (Sub|Function|If|Forall|Select)|Loop|Next)\b", line):
            closes = {"Loop": "Do", "Next": "For"}.get(found[1], found[2])
            assert opened.pop() == closes, line
        elif found := re.match(r"(?:Const|Dim) (.*)", line):
            scope = "local " if opened else ""
            declared |= {f"{scope}{n.lower()}" for n in re.findall(r"(\w+)(?: List)?(?: As |\s*=)", found[1])}
        if found := re.match(r"(?:If .* Then )?(?:Set )?(\w+)(?:\([^=]*\))?\s*=[^=]", line):
            variable = found[1].lower()
            assert line.startswith("Const") or {variable, f"local {variable}"} & declared, line
    assert opened == []


@pytest.mark.parametrize("name", [HTTP, DROP])
def test_every_procedure_called_is_there(name: str) -> None:
    both = _code(HTTP) + _code(DROP)
    there = {word.lower() for word in re.findall(r"\b(?:Sub|Function) (\w+)", both)}

    assert {word.lower() for word in re.findall(r"\bCall (\w+)\(", _code(name))} <= there


@pytest.mark.parametrize("name", [HTTP, DROP])
def test_no_two_names_differ_by_case_only(name: str) -> None:
    code = _code(name)
    named = Counter(
        word.lower()
        for pattern in (r"^Const (\w+)", r"^Dim (\w+)", r"^(?:Public|Private) (?:Sub|Function) (\w+)")
        for word in re.findall(pattern, code, re.MULTILINE)
    )
    labels = {word.lower() for word in re.findall(r"^(\w+):$", code, re.MULTILINE)}

    assert [word for word, times in named.items() if times > 1] == []
    assert not labels & named.keys()


def test_what_is_printed_stands_in_the_protocol() -> None:
    printed = " ".join(re.findall(r'"((?:[^"]|"")*)"', _source(HTTP)))
    elements = set(re.findall(r"<(\w+)[ >]", printed)) - {"noteinfo", "datetime"}
    attributes = set(re.findall(r"\b(\w+)='", printed)) - {"encoding"}

    assert elements == {"lienthong", "entry", "attachment", "dxl", "end"}
    assert all(f"<{element}" in PROTOCOL for element in elements)
    assert all(re.search(rf"\b{attribute}(='|`)", PROTOCOL) for attribute in attributes), attributes
    for word in ("LIENTHONG", "END", "ERROR", "text/plain; charset=utf-8", "text/xml; charset=utf-8"):
        assert word in printed
        assert word in PROTOCOL
    for status in ("ok", "gone", "denied", "error"):
        assert f"`{status}`" in PROTOCOL


def test_parameters_are_those_of_the_protocol() -> None:
    taken = set(re.findall(r'Parameter\(parameters, "(\w+)"', _source(HTTP)))

    assert taken == {"cmd", "since", "after", "count", "unid"}
    assert all(f"{name}=" in PROTOCOL for name in taken)


def test_agent_simulator_reader_and_readme_agree_on_the_numbers() -> None:
    constants = dict(re.findall(r'Const (\w+) = "?([^"\n]*)', _source(HTTP) + _source(DROP)))

    assert constants["LIENTHONG_PROTOCOL"] == agent_answers.VERSION == "1"
    assert constants["MANIFEST_PROTOCOL"].encode() == drop_manifest.VERSION
    assert int(constants["COUNT_DEFAULT"]) == domino_agent.LOOKED_AT
    assert int(constants["COUNT_MOST"]) == domino_agent.MOST_LOOKED_AT
    assert int(constants["UNIDS_MOST"]) == domino_agent.MOST_EXPORTED
    assert "(default 1000, at most 5000)" in PROTOCOL
    assert "At most 50 UNIDs" in PROTOCOL
    assert constants["FORMS_ENTRY"].strip('"') == domino_agent.FORMS
    assert f"`{domino_agent.FORMS}`" in PROTOCOL


def test_a_row_of_each_format_has_the_fields_that_its_reader_expects() -> None:
    listed = re.search(r"ListRow = start & Attribute.*?\n.*?\n", _source(HTTP))
    written = re.search(r"row = file & .*", _source(DROP))

    assert listed
    assert written
    # UNID and note id with their tabs stand in ``start``.
    assert 2 + listed[0].count("Chr$(9)") + 1 == 8
    assert written[0].count("Chr$(9)") + 1 == 7


def test_the_content_type_comes_before_anything_else_of_an_answer() -> None:
    first: Counter[str] = Counter()
    for body in re.findall(r"Sub Print(?:List|Beginning|Failure)\b.*?End Sub", _source(HTTP), re.DOTALL):
        printed = re.findall(r'Print "([^"]*)', body)
        first[printed[0].partition(":")[0]] += 1

    assert first == {"Content-type": 3}


def test_the_readme_says_what_was_not_tried() -> None:
    assert "never compiled" in README
    assert "- [ ]" in README
