"""Packages with injected faults and what must be read from them: a seeded generator.

Each fault says what it changes in the package or its bytes and which defects that must give. Faults that touch
the same part exclude one another, so any drawn combination has one right answer.
"""

from __future__ import annotations

import base64
import io
import random
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from connectors.operations.moments import LOCAL
from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    Receiver,
    Signer,
    Staff,
    Trace,
)
from connectors.operations.writer import write_document

FILES = 3
"""Files of every package; each may have one fault."""

_NS = b' xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016"'
_XLINK = b' xmlns:xlink="http://www.w3.org/1999/xlink"'
_PAYLOAD = (b"<edXML:ContentTransferEncoded>", b"</edXML:ContentTransferEncoded>")
_SUBJECTS = ("Về việc báo cáo tình hình quý I", "Kết luận & chỉ đạo <khẩn>", "Kế hoạch công tác năm 2025")
_DSIG = b"http://www.w3.org/2000/09/xmldsig#"


@dataclass
class Case:
    """A package under construction.

    Attributes:
        package: as it is going to be written.
        texts: what stands in the file instead of the written base64 of a file, by its index.
        edits: applied to the written bytes, in order; those of ``last`` after all others.
        leaves: texts that the reader must give instead of the package's, by path.
        defects: classes that the reader must name.
        attachments: defects and bytes that it must give for a file, by its index, where not the file's own.
    """

    package: DocumentPackage
    texts: dict[int, bytes] = field(default_factory=dict)
    edits: list[Callable[[bytes], bytes]] = field(default_factory=list)
    last: list[Callable[[bytes], bytes]] = field(default_factory=list)
    leaves: dict[str, tuple[str, ...]] = field(default_factory=dict)
    defects: list[str] = field(default_factory=list)
    attachments: dict[int, tuple[bytes, tuple[str, ...]]] = field(default_factory=dict)

    def write(self) -> bytes:
        """The bytes of the package with all its faults."""
        data = write_document(self.package)
        for index, text in self.texts.items():
            data = _between(data, *_PAYLOAD, index, text)
        for edit in (*self.edits, *self.last):
            data = edit(data)
        return data

    def file(self, index: int, **changes: object) -> None:
        """Change a file of the package."""
        files = list(self.package.files)
        files[index] = replace(files[index], **changes)  # type: ignore[arg-type]
        self.package = replace(self.package, files=tuple(files))


@dataclass(frozen=True)
class Fault:
    """A fault: what it touches, how it is made, which defects it gives. ``apply`` gets a file's index."""

    touches: str
    apply: Callable[[Case, int], None]
    defects: tuple[str, ...]
    of_file: bool = False


def plain_case(chance: random.Random) -> Case:
    """A package without a fault."""
    day = date(2025, 1, 2) + timedelta(days=chance.randrange(300))
    sent = datetime(day.year, day.month, day.day, 8, chance.randrange(60), 5, tzinfo=LOCAL)
    number = str(chance.randrange(1, 9999))
    return Case(
        DocumentPackage(
            sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy", "Tỉnh ủy", "Số 1", "a@demo.invalid", "0200"),
            recipients=(Organ("000.00.12.H10", "Sở Y tế"), Organ("000.00.13.H10", "Sở Nội vụ")),
            document_id=f"000.00.00.H10,{day:%Y/%m/%d},{number}-CV/VPTU",
            code_number=number,
            code_notation="CV/VPTU",
            promulgation_date=day,
            place="Đồng Xoài",
            subject=chance.choice(_SUBJECTS),
            content=chance.choice(_SUBJECTS),
            type_name="Công văn",
            signer=Signer("Nguyễn Văn A", "Chánh Văn phòng", "TL."),
            due_date=day + timedelta(days=20),
            to_places=("Như trên", "Lưu VPTU"),
            priority=chance.choice("01234"),
            sphere="Trong tỉnh",
            typer_notation="NTM",
            promulgation_amount=chance.randrange(1, 50),
            page_amount=chance.randrange(1, 50),
            direction=chance.choice((True, False)),
            appendixes=("Phụ lục 1",),
            steering_type=chance.choice("123"),
            trace=(Trace("000.00.00.H10", sent), Trace("000.00.12.H10", sent + timedelta(minutes=9))),
            business=Business(
                chance.choice("0123"),
                "Lý do",
                staff=Staff("Văn thư"),
                receivers=(Receiver("000.00.14.H10", "1"),),
            ),
            files=tuple(
                PackageFile(
                    f"tep-{index}.pdf", _pdf(chance), content_id=f"cid:{index}", zipped=chance.random() < 0.3
                )
                for index in range(FILES)
            ),
        )
    )


def expected_leaves(case: Case) -> dict[str, tuple[str, ...]]:
    """The texts of MessageHeader and TraceHeaderList by path, empty elements included."""
    package = case.package
    day, due = package.promulgation_date, package.due_date
    found: dict[str, tuple[str, ...]] = {}

    def say(path: str, *texts: object) -> None:
        given = tuple(str(text) for text in texts if text is not None)
        if given:
            found[path] = given

    for who, organs in (("From", (package.sender,)), ("To", package.recipients)):
        say(f"{who}/OrganId", *(organ.organ_id for organ in organs))
        say(f"{who}/OrganName", *(organ.name for organ in organs))
        say(f"{who}/OrganizationInCharge", *(organ.in_charge for organ in organs))
        say(f"{who}/OrganAdd", *(organ.address for organ in organs))
        say(f"{who}/Email", *(organ.email for organ in organs))
        say(f"{who}/Telephone", *(organ.telephone for organ in organs))
    say("DocumentId", package.document_id)
    say("Code/CodeNumber", package.code_number)
    say("Code/CodeNotation", package.code_notation)
    say("PromulgationInfo/Place", package.place)
    say("PromulgationInfo/PromulgationDate", f"{day:%Y/%m/%d}")
    say("DocumentType/Type", package.type_code)
    say("DocumentType/TypeName", package.type_name)
    say("Subject", package.subject)
    say("Content", package.content)
    if package.signer:
        say("SignerInfo/Competence", package.signer.competence)
        say("SignerInfo/Position", package.signer.position)
        say("SignerInfo/FullName", package.signer.full_name)
    say("DueDate", f"{due:%Y/%m/%d}" if due else None)
    say("ToPlaces/Place", *package.to_places)
    say("OtherInfo/Priority", package.priority)
    say("OtherInfo/SphereOfPromulgation", package.sphere)
    say("OtherInfo/TyperNotation", package.typer_notation)
    say("OtherInfo/PromulgationAmount", package.promulgation_amount)
    say("OtherInfo/PageAmount", package.page_amount)
    say("OtherInfo/Direction", str(package.direction).lower())
    say("OtherInfo/Appendixes/Appendix", *package.appendixes)
    say("SteeringType", package.steering_type)
    say("TraceHeader/OrganId", *(trace.organ_id for trace in package.trace))
    say("TraceHeader/Timestamp", *(f"{trace.timestamp:%Y/%m/%d %H:%M:%S}" for trace in package.trace))
    if business := package.business:
        say("Bussiness/BussinessDocType", business.doc_type)
        say("Bussiness/Paper", business.paper)
        say("Bussiness/BussinessDocReason", business.reason)
        say("Bussiness/StaffInfo/Department", business.staff.department if business.staff else None)
        listed = "Bussiness/BussinessDocumentInfo/ReceiverList/Receiver"
        say(f"{listed}/OrganId", *(receiver.organ_id for receiver in business.receivers))
        say(f"{listed}/ReceiverType", *(receiver.receiver_type for receiver in business.receivers))
    return {path: texts for path, texts in {**found, **case.leaves}.items() if texts}


def expected_attachments(case: Case) -> list[tuple[str, bytes, tuple[str, ...]]]:
    """(name, bytes, defects) of every file that must be read, those of a package inside left out."""
    return [
        (file.name, *case.attachments.get(index, (file.data, ())))
        for index, file in enumerate(case.package.files)
    ]


def _pdf(chance: random.Random) -> bytes:
    return b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + chance.randbytes(chance.randrange(40, 900)) + b"\n%%EOF\n"


def _between(data: bytes, opening: bytes, closing: bytes, index: int, text: bytes) -> bytes:
    """``data`` with ``text`` between the ``index``-th ``opening`` and its ``closing``."""
    at = -1
    for _ in range(index + 1):
        at = data.index(opening, at + 1)
    start = at + len(opening)
    return data[:start] + text + data[data.index(closing, start) :]


def _set(**changes: object) -> Callable[[Case, int], None]:
    def apply(case: Case, _: int) -> None:
        case.package = replace(case.package, **changes)  # type: ignore[arg-type]

    return apply


def _organ(which: str, **changes: object) -> Callable[[Case, int], None]:
    def apply(case: Case, _: int) -> None:
        if which == "sender":
            case.package = replace(case.package, sender=replace(case.package.sender, **changes))  # type: ignore[arg-type]
        else:
            first, *others = case.package.recipients
            changed = replace(first, **changes)  # type: ignore[arg-type]
            case.package = replace(case.package, recipients=(changed, *others))

    return apply


def _trace(
    index: int, organ_id: str | None = None, later: timedelta | None = None
) -> Callable[[Case, int], None]:
    def apply(case: Case, _: int) -> None:
        traces = list(case.package.trace)
        moment = traces[index].timestamp + (later or timedelta())
        traces[index] = Trace(traces[index].organ_id if organ_id is None else organ_id, moment)
        case.package = replace(case.package, trace=tuple(traces))

    return apply


def _due(text: str) -> Callable[[Case, int], None]:
    def apply(case: Case, _: int) -> None:
        written = f"{case.package.due_date:%Y/%m/%d}</edXML:DueDate>".encode()
        case.edits.append(lambda data: data.replace(written, f"{text}</edXML:DueDate>".encode(), 1))
        case.leaves["DueDate"] = (text,)

    return apply


def _edit(change: Callable[[bytes], bytes], *, last: bool = False) -> Callable[[Case, int], None]:
    def apply(case: Case, _: int) -> None:
        (case.last if last else case.edits).append(change)

    return apply


def _swapped(old: bytes, new: bytes) -> Callable[[Case, int], None]:
    def change(data: bytes) -> bytes:
        assert old in data, old
        return data.replace(old, new, 1)

    return _edit(change)


def _unbound(data: bytes) -> bytes:
    """The prefix is declared on the envelope only, so it is unknown at the attachments beside it."""
    data = data.replace(_NS, b"", 1)
    return data.replace(b"<edXML:edXMLEnvelope>", b"<edXML:edXMLEnvelope" + _NS + b">", 1)


def _moved_attachments(data: bytes, mark: bytes, *, behind: bool) -> bytes:
    start = data.index(b"<edXML:AttachmentEncoded>")
    end = data.index(b"</edXML:AttachmentEncoded>") + len(b"</edXML:AttachmentEncoded>")
    taken, rest = data[start:end], data[:start] + data[end:]
    return rest.replace(mark, mark + taken if behind else taken + mark, 1)


def _signature(
    value: bytes, namespace: bytes = _DSIG, subject: bytes = b"CN=A"
) -> Callable[[Case, int], None]:
    certificate = base64.b64encode(b"\x30\x82\x00\x20" + bytes(32))
    digest = base64.b64encode(bytes(32))
    element = (
        b'<Signature xmlns="' + namespace + b'"><SignedInfo><Reference URI=""><DigestValue>' + digest
        + b"</DigestValue></Reference></SignedInfo><SignatureValue>" + value + b"</SignatureValue><KeyInfo><X509Data>"
        + b"<X509SubjectName>" + subject + b"</X509SubjectName><X509Certificate>" + certificate
        + b"</X509Certificate></X509Data></KeyInfo></Signature></edXML:edXMLHeader>"
    )  # fmt: skip
    return _swapped(b"</edXML:edXMLHeader>", element)


_VALUE = base64.b64encode(bytes(range(128)))


def _text(
    make: Callable[[bytes], bytes], *codes: str, kept: bool = False, rest: int = 0
) -> Callable[[Case, int], None]:
    """The base64 text of a file goes through ``make``; ``kept``: the reader keeps the text itself.

    ``rest``: bytes of the file beyond whole groups of three, which decide its padding.
    """

    def apply(case: Case, index: int) -> None:
        case.file(index, zipped=False)
        data = case.package.files[index].data
        data += b"\n" * ((rest - len(data)) % 3)
        case.file(index, data=data)
        text = make(base64.b64encode(data))
        case.texts[index] = text
        case.attachments[index] = (text if kept else data, codes)

    return apply


def _bytes(make: Callable[[bytes], bytes], *codes: str) -> Callable[[Case, int], None]:
    """A file's bytes go through ``make`` before they are packed; the reader gives them so."""

    def apply(case: Case, index: int) -> None:
        data = make(case.package.files[index].data)
        case.file(index, data=data, zipped=False)
        case.attachments[index] = (data, codes)

    return apply


def _labels(codes: tuple[str, ...], **changes: object) -> Callable[[Case, int], None]:
    def apply(case: Case, index: int) -> None:
        case.file(index, **changes)
        case.attachments[index] = (case.package.files[index].data, codes)

    return apply


def _zip(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def _encrypted(data: bytes) -> bytes:
    packed = bytearray(_zip(("a.pdf", data)))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def _wrong_crc(data: bytes) -> bytes:
    packed = bytearray(_zip(("a.pdf", data), method=zipfile.ZIP_STORED))
    packed[packed.index(b"%PDF") + 6] ^= 1
    return bytes(packed)


def _nested(data: bytes) -> bytes:
    inside = replace(plain_case(random.Random(len(data))).package, files=(PackageFile("trong.pdf", data),))
    return write_document(inside)


def _unlisted(case: Case, index: int) -> None:
    name = f"cid:{index}".encode()
    edited = b'xlink:href="' + name + b'">\n<edXML:ContentId>' + name + b"<"
    case.edits.append(lambda data: data.replace(edited, edited.replace(name, b"cid:9" + name[4:]), 1))


def _without_payload(case: Case, index: int) -> None:
    case.texts[index] = b"LACKING%d" % index
    whole = _PAYLOAD[0] + case.texts[index] + _PAYLOAD[1]
    case.edits.append(lambda data: data.replace(whole, b"", 1))
    case.attachments[index] = (b"", ("payload_missing",))


_ENDING = ("name_ending_wrong",)
FAULTS: Mapping[str, Fault] = {
    # The file
    "bom": Fault("start", _edit(lambda data: b"\xef\xbb\xbf" + data, last=True), ("byte_order_mark",)),
    "junk": Fault("start", _edit(lambda data: b"1212" + data, last=True), ("junk_before_prolog",)),
    "blank line": Fault("start", _edit(lambda data: b"\r\n" + data, last=True), ("junk_before_prolog",)),
    "padding": Fault("end", _edit(lambda data: data + bytes(64), last=True), ("junk_after_root",)),
    "unbound prefix": Fault("prefix", _edit(_unbound), ("unbound_prefix",)),
    "unbound xlink": Fault("xlink", _edit(lambda data: data.replace(_XLINK, b"", 1)), ("unbound_prefix",)),
    "lying encoding": Fault("declaration", _swapped(b"UTF-8", b"UTF-16"), ("wrong_encoding_declared",)),
    "other namespace": Fault(
        "prefix", _edit(lambda data: data.replace(b"QCVN_102_2016", b"OTHER", 2).replace(b"mic.gov.vn", b"a.vn")),
        ("unknown_namespace",),
    ),
    "attachments in body": Fault(
        "prefix",
        _edit(lambda data: _moved_attachments(data, b"</edXML:edXMLBody>", behind=False)),
        ("attachments_misplaced",),
    ),
    "stray text": Fault("stray", _swapped(b"<edXML:edXMLBody>", b"<edXML:edXMLBody>VB"), ("stray_text",)),
    "wrapper": Fault(
        "wrapper",
        _edit(
            lambda data: data.replace(b"<edXML:TraceHeaderList>", b"<edXML:X><edXML:TraceHeaderList>", 1).replace(
                b"</edXML:TraceHeaderList>", b"</edXML:TraceHeaderList></edXML:X>", 1
            )
        ),
        ("unexpected_wrapper",),
    ),
    # The signature
    "placeholder": Fault("signature", _signature(b"GbVb8n9"), ("signature_placeholder",)),
    "signature elsewhere": Fault(
        "signature", _signature(_VALUE, b"http://a.vn/"), ("signature_wrong_namespace",)
    ),
    "nobody's signature": Fault("signature", _signature(_VALUE, subject=b" "), ("signature_subject_empty",)),
    # The header
    "null sender": Fault("sender", _organ("sender", name="null"), ("null_organ",)),
    "null trace": Fault("trace organ", _trace(0, "NULL"), ("null_organ",)),
    "null place": Fault("place", _set(place="null"), ("null_value",)),
    "no trace organ": Fault("trace organ", _trace(1, ""), ("organ_missing",)),
    "no recipient id": Fault("recipients", _organ("recipient", organ_id=" "), ("organ_missing",)),
    "no recipients": Fault("recipients", _set(recipients=()), ("required_missing",)),
    "same recipient": Fault(
        "recipients", _organ("recipient", organ_id="000.00.13.H10"), ("duplicate_recipient",)
    ),
    "no subject": Fault("subject", _set(subject=""), ("required_empty",)),
    "no type": Fault("type", _set(type_name=" "), ("required_empty",)),
    "no id": Fault("id", _set(document_id=None), ("document_id_missing",)),
    "long subject": Fault("subject", _set(subject="Ộ" * 501), ("over_long",)),
    "long number": Fault("number", _set(code_number="1" * 12), ("over_long",)),
    "long notation": Fault("notation", _set(code_notation="C" * 31), ("over_long",)),
    "long organ": Fault("sender", _organ("sender", organ_id="H" * 36), ("over_long",)),
    "long place": Fault("place", _set(place="P" * 51), ("over_long",)),
    "long signer": Fault("signer", _set(signer=Signer("N" * 51, "V", "K")), ("over_long",)),
    "long typer": Fault("typer", _set(typer_notation="N" * 11), ("over_long",)),
    "long appendix": Fault("appendix", _set(appendixes=("P" * 251,)), ("over_long",)),
    "long to place": Fault("to places", _set(to_places=("N" * 151, "Lưu")), ("over_long",)),
    "number not numeric": Fault("number", _set(code_number="74fass22"), ("code_number_not_numeric",)),
    "steering 0": Fault("steering", _set(steering_type="0"), ("code_outside_standard",)),
    "priority 9": Fault("priority", _set(priority="9"), ("code_outside_standard",)),
    "business 7": Fault("business", _set(business=Business("7")), ("code_outside_standard",)),
    "negative amount": Fault("amount", _set(page_amount=-1), ("amount_not_a_number",)),
    "impossible date": Fault("due", _due("2025/02/30"), ("impossible_date",)),
    "impossible date in id": Fault("id", _set(document_id="A,2014/02/30,7/B"), ("impossible_date",)),
    "old date": Fault("due", _due("28/02/2025"), ("unexpected_date_form",)),
    "no date": Fault("due", _due("tháng sau"), ("unparsed_date",)),
    "too early": Fault("moments", _trace(0, later=timedelta(days=-3)), ("timestamp_before_promulgation",)),
    "too late": Fault("moments", _trace(1, later=timedelta(days=30)), ("timestamp_after_promulgation",)),
    "backwards": Fault("moments", _trace(1, later=timedelta(minutes=-10)), ("timestamps_out_of_order",)),
    # The files
    "unpadded": Fault(
        "file", _text(lambda text: text.rstrip(b"="), "base64_unpadded", rest=2), ("base64_unpadded",), of_file=True
    ),
    "url alphabet": Fault(
        "file",
        _text(lambda text: text.replace(b"+", b"-").replace(b"/", b"_"), "base64_url_safe"),
        ("base64_url_safe",),
        of_file=True,
    ),
    "hard space": Fault(
        "file",
        _text(lambda text: text[:8] + "\u00a0".encode() + text[8:], "base64_foreign_space"),
        ("base64_foreign_space",),
        of_file=True,
    ),
    "data uri": Fault(
        "file",
        _text(lambda text: b"data:application/pdf;base64," + text, "base64_data_uri"),
        ("base64_data_uri",),
        of_file=True,
    ),
    "lines": Fault("file", _text(lambda text: text[:76] + b"\r\n  " + text[76:]), (), of_file=True),
    "cdata": Fault("file", _text(lambda text: b"<![CDATA[" + text + b"]]>"), (), of_file=True),
    "cut text": Fault(
        "file", _text(lambda text: text + b"Q", "base64_truncated"), ("base64_truncated",), of_file=True
    ),
    "no base64": Fault(
        "file",
        _text(lambda text: b"${" + text + b"}", "invalid_base64", kept=True),
        ("invalid_base64",),
        of_file=True,
    ),
    "empty payload": Fault(
        "file", _text(lambda _: b"", "payload_empty", kept=True), ("payload_empty",), of_file=True
    ),
    "no payload": Fault("file", _without_payload, ("payload_missing",), of_file=True),
    "utf-8 decode": Fault(
        "file",
        _bytes(lambda data: (data + b"\xff" * 9).decode("utf-8", "replace").encode(), "corrupt_utf8_decode"),
        ("corrupt_utf8_decode",),
        of_file=True,
    ),
    "cut pdf": Fault(
        "file", _bytes(lambda data: data[:-8], "corrupt_truncated"), ("corrupt_truncated",), of_file=True
    ),
    "noise": Fault(
        "file",
        _bytes(lambda _: b"\x00\x9f\x05" * 6, "declared_type_wrong", *_ENDING),
        ("declared_type_wrong", *_ENDING),
        of_file=True,
    ),
    "lying type": Fault(
        "file",
        _labels(("declared_type_wrong",), content_type="image/png"),
        ("declared_type_wrong",),
        of_file=True,
    ),
    "lying name": Fault("file", _labels(_ENDING, name="bảng.xlsx"), _ENDING, of_file=True),
    "long name": Fault("file", _labels((), name="n" * 197 + ".pdf"), ("over_long", "over_long"), of_file=True),
    "unlisted": Fault("file", _unlisted, ("attachment_missing", "attachment_not_in_manifest"), of_file=True),
    **{
        name: Fault(
            "file",
            _bytes(make, code, "declared_type_wrong", *_ENDING),
            (code, "declared_type_wrong", *_ENDING),
            of_file=True,
        )
        for name, code, make in (
            ("cut zip", "zip_damaged", lambda data: _zip(("a.pdf", data))[:-30]),
            ("wrong crc", "zip_damaged", _wrong_crc),
            ("encrypted", "zip_encrypted", _encrypted),
            ("climbing path", "zip_path_trick", lambda data: _zip(("../a.pdf", data))),
            ("absolute path", "zip_path_trick", lambda data: _zip(("/a.pdf", data))),
            ("drive", "zip_path_trick", lambda data: _zip(("C:\\a.pdf", data))),
            ("same entries", "zip_duplicate_entries",
             lambda data: _zip(("a.pdf", data), ("b.pdf", data)).replace(b"b.pdf", b"a.pdf")),
            ("bomb", "zip_bomb", lambda _: _zip(("a.pdf", bytes(17 << 20)))),
        )
    },
    "broken package": Fault(
        "file",
        _bytes(lambda data: _nested(data)[:-40], "declared_type_wrong", *_ENDING, "nested_unreadable"),
        ("declared_type_wrong", *_ENDING, "nested_unreadable"),
        of_file=True,
    ),
    "package inside": Fault(
        "file",
        _bytes(_nested, "declared_type_wrong", *_ENDING),
        ("declared_type_wrong", *_ENDING),
        of_file=True,
    ),
}  # fmt: skip


def spoiled(names: tuple[str, ...], chance: random.Random) -> Case:
    """A package with the faults ``names``, of which no two touch the same part and at most ``FILES`` a file."""
    case = plain_case(chance)
    free = chance.sample(range(FILES), FILES)
    for name in names:
        fault = FAULTS[name]
        fault.apply(case, free.pop() if fault.of_file else 0)
        case.defects += fault.defects
    return case


def combination(chance: random.Random) -> tuple[str, ...]:
    """Two to six faults that may stand together."""
    chosen: list[str] = []
    touched: set[str] = set()
    files, wanted = 0, chance.randrange(2, 7)
    for name in chance.sample(sorted(FAULTS), len(FAULTS)):
        fault = FAULTS[name]
        if (fault.of_file and files == FILES) or (not fault.of_file and fault.touches in touched):
            continue
        if fault.of_file:
            files += 1
        touched.add(fault.touches)
        chosen.append(name)
        if len(chosen) == wanted:
            break
    return tuple(chosen)
