"""One DXL record as a ``SourceRecord``: a ``<document>``, ``<note>`` or ``<profiledocument>``.

Every ``<item>`` is one ``Field``, in order, repeats kept (see ``items.item_of``). What DXL prints outside
items comes first, as fields of these names, each only where it is printed:

=======================  ====================================================================================
``$document``            the record's element: ``type`` is its name, ``attributes`` its attributes
``$parent``              UNID or key of the parent (attribute ``parent``, else the first ``$REF``); no value
                         when it is the record itself (conflicts print that): defect ``parent_is_self``
``$response``            ``true`` for a response document
``$conflict``            ``true`` for a replication or save conflict
``$truncated``           ``true`` when replication cut the document off: defect ``document_truncated``
``$profile``             name of a profile document; ``$profile.username`` its user
``$noteinfo.noteid``     note id in this file, hex
``$noteinfo.unid``       universal id
``$noteinfo.sequence``   number of revisions
``$noteinfo.created``    and ``.modified`` (in this file), ``.revised`` (anywhere), ``.lastaccessed``,
                         ``.addedtofile``
``$updatedby``           names, oldest first
``$revisions``           date-times
``$wassignedby``         who signed, as the exporter claims: DXL carries no signature
``$mime``                a whole MIME message: its texts; the message is attached (``message.eml``)
=======================  ====================================================================================

Empty date-times give an empty value; missing ones give no field. A message that Notes keeps in items (types 502 and
19) is attached as ``message.eml`` too; the texts of its parts are the values of their items. Files in a message are
attachments. What is wrong with a message are defects ``mime_…`` (``mime_mail.SENTENCES``, and those that Python's
``email`` names).

Rich text that the exporter printed raw (``richtext_as_raw_data``) is read from its composite data:
``richtext_from_raw_cd``, and ``richtext_cd_broken``, ``richtext_fonts_unknown``, ``lmbcs_undecoded`` for what is not
sure in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element

from connectors.lotus_notes.attachments import File, joined
from connectors.lotus_notes.cd_items import CdItems
from connectors.lotus_notes.encoding import UTF8, named
from connectors.lotus_notes.head import DATES
from connectors.lotus_notes.items import Item, datetimes_of, item_in
from connectors.lotus_notes.mime_mail import SENTENCES, Mail, MailItems, whole_mail
from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.record_xml import RecordXml, XmlError, read_xml
from connectors.lotus_notes.rfc822_text import MailHeader
from connectors.lotus_notes.richtext import runs_of
from schemas.record import (
    Attachment,
    Content,
    Defect,
    Field,
    Listing,
    SourceRecord,
    Unreadable,
)

DXL_TYPE = "application/vnd.lotus.dxl+xml"
PRINTED = frozenset(
    {
        "$document",
        "$parent",
        "$response",
        "$conflict",
        "$truncated",
        "$profile",
        "$profile.username",
        "$updatedby",
        "$revisions",
        "$wassignedby",
        "$mime",
        *(f"$noteinfo.{name}" for name in ("noteid", "unid", "sequence", *DATES)),
    }
)
"""Names of the fields that are no items; they stand before the items, each at most once."""

_FLAGS = {"response": "$response", "conflict": "$conflict", "truncated": "$truncated"}
_IGNORED = frozenset({"textproperties"})


def read_record(listing: Listing, original: Content, context: Mapping[str, str]) -> SourceRecord | Unreadable:
    """Reads the bytes of one record.

    Args:
        listing: the line that it answers.
        original: from the ``<`` of its start tag to the ``>`` of its end tag.
        context: facts of the export; ``encoding`` is there when it is not UTF-8, ``file`` names it in
        messages.

    Returns:
        The record; or why it cannot be read: ``xml_malformed``, ``encoding_invalid``,
        ``encoding_unsupported``, ``entity_declared``, ``entity_undefined``, ``too_deep``,
        ``too_many_elements``.
    """
    encoding = named(context.get("encoding", UTF8))
    if isinstance(encoding, str):
        said = f"the export declares the encoding {encoding!r}, which is not read here"
        return Unreadable(listing, "encoding_unsupported", said, context.get("file", ""), original)
    try:
        xml = read_xml(original, encoding)
        collector = _Collector(xml, original)
        collector.take_all()
    except XmlError as error:
        where = ", ".join(part for part in (context.get("file", ""), error.where) if part)
        return Unreadable(listing, error.reason, error.what, where, original)
    return collector.record(listing, original, context)


class _Collector:
    """Gathers the children of a record's element."""

    def __init__(self, xml: RecordXml, original: Content) -> None:
        self.unid = ""
        self._xml = xml
        self._original = original
        self._printed: list[Field] = []
        self._items: list[Field] = []
        self._files: list[File] = []
        self._mail = MailItems()
        self._composites = CdItems()
        self._whole_mail: Mail | None = None
        self._defects: list[Defect] = []

    def take_all(self) -> None:
        """All children, in their order. Raises ``XmlError`` where one is nested too deep."""
        xml = self._xml
        if (stray := xml.root.text) and not stray.isspace():
            self._stray(xml.root, 1)
        for element, line in xml.children():
            if xml.name(element) == "item":
                self._item_read(item_in(xml, element, line))
            else:
                self._other(xml.node(element, line))
            if (stray := element.tail) and not stray.isspace():
                self._stray(element, line)

    def _item_read(self, item: Item) -> None:
        field, files, defects, mail, composite = item
        if mail is not None:
            if isinstance(mail, MailHeader):
                self._mail.header(mail)
            else:
                self._mail.part(len(self._items), field.name, mail)
        if composite is not None:
            self._composites.add(len(self._items), composite)
        self._items.append(field)
        if files:
            self._files.extend(files)
        if defects:
            self._defects.extend(defects)

    def _read_composites(self) -> None:
        for position, item, text in self._composites.read():
            runs, marks = runs_of(text.richtext)
            self._items[position] = self._items[position]._replace(runs=runs, children=marks)
            said = text.defects(bool(runs))
            self._defects.extend(
                Defect(code, what, f"item {item.name}, line {item.line}") for code, what in said
            )

    def _stray(self, element: Element, line: int) -> None:
        said = "text stands between the items, where DXL has none; it is kept in the original only"
        self._defects.append(Defect("text_stray", said, f"after <{self._xml.name(element)}>, line {line}"))

    def _other(self, node: Node) -> None:
        if node.name == "noteinfo":
            self._noteinfo(node)
        elif node.name in {"updatedby", "wassignedby"}:
            values = tuple(child.text.strip() for child in node.children if child.name == "name")
            self._printed.append(Field(f"${node.name}", "names", values, line=node.line))
        elif node.name == "revisions":
            self._dates("$revisions", "datetimelist", node)
        elif node.name == "mime":
            self._mime(node)
        elif node.name not in _IGNORED:
            said = f"<{node.name}> is no part of a DXL document; it is kept in the original only"
            self._defects.append(Defect("element_unknown", said, f"line {node.line}"))

    def record(self, listing: Listing, original: Content, context: Mapping[str, str]) -> SourceRecord:
        """What was gathered, as the record of ``listing``."""
        element = self._xml.root
        root = Node(self._xml.name(element), self._xml.attributes(element), 1, ())
        fields = [Field("$document", root.name, attributes=root.attributes, line=root.line)]
        fields += [
            Field(name, "text", (root.attributes[key],))
            for key, name in _FLAGS.items()
            if root.attributes.get(key)
        ]
        fields += self._parent(root)
        fields += self._profile(root)
        if root.attributes.get("truncated") == "true":
            said = "replication cut this document off: items or attachments are missing in the export"
            self._defects.append(Defect("document_truncated", said))
        self._read_composites()
        attachments = self._attachments()
        return SourceRecord(
            listing=listing,
            kind="document",
            form=root.attributes.get("form") or self._item("Form"),
            original=original,
            original_type=DXL_TYPE,
            fields=(*fields, *self._printed, *self._items),
            attachments=attachments,
            defects=tuple(self._defects),
            context=context,
        )

    def _attachments(self) -> tuple[Attachment, ...]:
        mail = self._mail.read(self._files)
        for position, texts in mail.texts.items():
            self._items[position] = self._items[position]._replace(values=texts)
        names = self._shown_names()
        files = []
        for file in joined(self._files):
            if file.name in mail.objects:
                name, content = mail.objects[file.name]
                # What a part's headers call encoded has been decoded by them.
                defects = tuple(defect for defect in file.defects if not defect.startswith("encoded_"))
                files.append(replace(file, name=name, content=content, defects=defects))
            else:
                files.append(replace(file, name=names.get(file.name, file.name)))
        whole = self._whole_mail or Mail()
        files += [*whole.files, *mail.files]
        for attachment in files:
            if attachment.defects:
                said = f"attachment {attachment.name!r}: {', '.join(attachment.defects)}"
                self._defects.append(Defect("attachment_defect", said, f"item {attachment.item}"))
        for code, item in (*whole.defects, *mail.defects):
            said = SENTENCES.get(code, "a part of the message is not as its headers say")
            self._defects.append(Defect(code, said, f"item {item}"))
        return (*whole.messages, *mail.messages, *files)

    def _shown_names(self) -> dict[str, str]:
        """Name that a reader sees by internal name: a second file of one name is stored as ``ATT12345``."""
        return {
            mark.attributes.get("name", ""): mark.attributes["displayname"]
            for item in self._items
            for mark in item.children
            if mark.name == "attachmentref" and mark.attributes.get("displayname")
        }

    def _noteinfo(self, node: Node) -> None:
        self.unid = node.attributes.get("unid", "").strip().upper()
        for key in ("noteid", "unid", "sequence"):
            if key in node.attributes:
                self._printed.append(
                    Field(f"$noteinfo.{key}", "text", (node.attributes[key],), line=node.line)
                )
        for child in node.children:
            if child.name in DATES:
                self._dates(f"$noteinfo.{child.name}", "datetime", child)

    def _dates(self, name: str, kind: str, node: Node) -> None:
        values, wrong = datetimes_of(node.children)
        self._printed.append(Field(name, kind, values, line=node.line))
        self._defects.extend(Defect(code, said, f"{name}, line {node.line}") for code, said in wrong)

    def _mime(self, node: Node) -> None:
        self._whole_mail = whole_mail(node.text, self._original, "$mime")
        size = str(self._whole_mail.messages[0].content.size)
        texts = self._whole_mail.texts.get(0, ())
        self._printed.append(Field("$mime", "mime", texts, attributes={"size": size}, line=node.line))

    def _parent(self, root: Node) -> list[Field]:
        parent, source = root.attributes.get("parent", ""), "parent"
        if not parent:
            parent, source = self._item("$REF"), "$REF"
        if not parent:
            return []
        if self.unid and parent.strip().upper() == self.unid:
            said = f"the document names itself as its parent ({source}); it is taken to have none"
            self._defects.append(Defect("parent_is_self", said, source))
            return [Field("$parent", "text", attributes={"from": source, "self": parent})]
        return [Field("$parent", "text", (parent,), attributes={"from": source})]

    def _profile(self, root: Node) -> list[Field]:
        if root.name != "profiledocument":
            return []
        fields = [Field("$profile", "text", (root.attributes.get("name", ""),))]
        if "username" in root.attributes:
            fields.append(Field("$profile.username", "text", (root.attributes["username"],)))
        return fields

    def _item(self, name: str) -> str:
        """First value of the first item of that name (Notes compares names without case), or ``""``."""
        wanted = name.lower()
        found = next((field for field in self._items if field.name.lower() == wanted), None)
        return found.values[0] if found is not None and found.values else ""
