"""Every defect that a package may have: its name, its sentence, and whether the standard would refuse it.

One table, so that an operator, a test and the strict mode speak of the same classes. A defect is recorded and
survived; what cannot be read at all is a ``Refusal``, not a defect.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.record import Defect

_XML = "XML 1.0 §2.1, §2.8"
_NAMES = "Namespaces in XML 1.0 §5"
_QCVN = "QCVN 102:2016/BTTTT (SĐ 1:2022)"
_LENGTHS = "QCVN 102:2016/BTTTT; NĐ 30/2020/NĐ-CP Phụ lục VI"
_DSIG = "W3C XML Signature 1.1 §4"
_BASE64 = "RFC 4648 §4"
_ZIP = "APPNOTE.TXT 6.3"
_MIME = "RFC 2046 §5.1; RFC 2387"
_OURS = "Lienthong's own limit"


class DefectClass(NamedTuple):
    """A class of defect.

    Attributes:
        sentence: message for the operator, with places for what was found.
        refused: the standard would refuse the package for it.
        source: who says how it should be.
    """

    sentence: str
    refused: bool
    source: str


CLASSES: Mapping[str, DefectClass] = MappingProxyType(
    {
        # The file
        "byte_order_mark": DefectClass(
            "a byte order mark precedes the XML declaration", False, "XML 1.0 §4.3.3"
        ),
        "junk_before_prolog": DefectClass("{count} bytes precede the XML: {junk!r}", True, _XML),
        "junk_after_root": DefectClass(
            "{count} bytes follow the end of the package; they were left out", True, _XML
        ),
        "wrong_encoding_declared": DefectClass(
            "declares {said} but is not; read as UTF-8", True, "XML 1.0 §4.3.3"
        ),
        "unbound_prefix": DefectClass("the prefix {prefix!r} is declared nowhere around it", True, _NAMES),
        "unknown_namespace": DefectClass("{name} is in the namespace {namespace!r}", True, _QCVN),
        "stray_text": DefectClass("text outside any field of {name}: {text!r}", True, _QCVN),
        "unexpected_wrapper": DefectClass("{name} stands around parts of the package", True, _QCVN),
        "attachments_misplaced": DefectClass(
            "{name} stands in {parent}, not beside the envelope", True, _QCVN
        ),
        "attachments_outside_root": DefectClass(
            "{name} follows the end of the package instead of standing in it", True, _XML
        ),
        "mime_unterminated": DefectClass("the last part has no closing boundary: it may be cut", True, _MIME),
        # The header
        "header_missing": DefectClass("the package has no MessageHeader", True, _QCVN),
        "organ_missing": DefectClass("{name} names no OrganId", True, _QCVN),
        "null_organ": DefectClass("{name} is the word {value!r}, which names nothing", True, _QCVN),
        "null_value": DefectClass("{name} is the word {value!r}, which says nothing", True, _QCVN),
        "document_id_missing": DefectClass("{path} is absent or empty", True, _QCVN),
        "required_missing": DefectClass("{name} is absent", True, _QCVN),
        "required_empty": DefectClass("{name} is empty", True, _QCVN),
        "duplicate_recipient": DefectClass("To names {value!r} again", True, _QCVN),
        "over_long": DefectClass("{name} has {length} characters, more than {limit}", True, _LENGTHS),
        "code_number_not_numeric": DefectClass(
            "CodeNumber is {value!r}; numbers have digits", False, "NĐ 30/2020/NĐ-CP Điều 8"
        ),
        "code_outside_standard": DefectClass(
            "{name} is {value!r}; the standard knows {expected}", True, _QCVN
        ),
        "amount_not_a_number": DefectClass("{name} is {value!r}; a number from 0 was expected", True, _QCVN),
        "unparsed_date": DefectClass("{name} is {value!r}; expected {expected}", True, _QCVN),
        "impossible_date": DefectClass("{name} is {value!r}, a day or hour that does not exist", True, _QCVN),
        "unexpected_date_form": DefectClass(
            "{name} is {value!r}; the standard writes {expected}", True, _QCVN
        ),
        "timestamp_before_promulgation": DefectClass(
            "{value} lies before the day of promulgation, {day}", False, _QCVN
        ),
        "timestamp_after_promulgation": DefectClass(
            "{value} lies {days} days after the day of promulgation, {day}",
            False,
            "NĐ 30/2020/NĐ-CP Điều 18",
        ),
        "timestamps_out_of_order": DefectClass(
            "{value} lies before the step above it, {before}", False, _QCVN
        ),
        # The signature of the header; whether one holds is for the signature engine to say
        "signature_absent": DefectClass("the header carries no Signature", True, _QCVN),
        "signature_wrong_namespace": DefectClass(
            "Signature is in the namespace {namespace!r}, not that of XML signatures", True, _DSIG
        ),
        "signature_placeholder": DefectClass(
            "Signature is a placeholder that signs nothing: {why}", True, _DSIG
        ),
        "signature_subject_empty": DefectClass("X509SubjectName is empty", True, _DSIG),
        # The manifest
        "attachment_missing": DefectClass(
            "the manifest names {name!r}, which the package does not hold", True, _QCVN
        ),
        "attachment_not_in_manifest": DefectClass("the manifest does not name {name!r}", True, _QCVN),
        "duplicate_content_id": DefectClass("{name!r} belongs to several attachments", True, _QCVN),
        # The payloads
        "payload_missing": DefectClass("has no payload", True, _QCVN),
        "payload_empty": DefectClass("the payload is empty", True, _QCVN),
        "invalid_base64": DefectClass("not base64 ({why}); the text is kept", True, _BASE64),
        "base64_unpadded": DefectClass("the base64 text lacks its padding; it was completed", True, _BASE64),
        "base64_url_safe": DefectClass(
            "base64 in the alphabet for addresses (- and _); decoded", True, "RFC 4648 §5"
        ),
        "base64_foreign_space": DefectClass(
            "the base64 text holds characters that only look empty; they were left out", True, _BASE64
        ),
        "base64_data_uri": DefectClass(
            "the base64 text begins with {prefix!r}, which was left out", True, "RFC 2397"
        ),
        "base64_truncated": DefectClass(
            "the base64 text ends inside a group of four: it was cut; what is whole was decoded",
            True,
            _BASE64,
        ),
        "transfer_encoding_unknown": DefectClass(
            "the transfer encoding {value!r} is unknown; kept as it came", True, "RFC 2045 §6"
        ),
        "corrupt_utf8_decode": DefectClass(
            "binary data went through a UTF-8 decode (U+FFFD everywhere); no signature can hold",
            True,
            _QCVN,
        ),
        "corrupt_truncated": DefectClass("the {type} has no end: it was cut", True, _QCVN),
        "declared_type_wrong": DefectClass("declared as {declared}, but the bytes are {type}", True, _QCVN),
        "name_ending_wrong": DefectClass("its name ends otherwise, but the bytes are {type}", False, _QCVN),
        "attachment_too_large": DefectClass("{what}; kept packed", False, _OURS),
        "record_too_large": DefectClass(
            "the record's files exceed the limit together; kept packed", False, _OURS
        ),
        "zip_damaged": DefectClass("the ZIP cannot be read: {why}", True, _ZIP),
        "zip_unsupported": DefectClass("the ZIP cannot be unpacked: {why}", False, _ZIP),
        "zip_encrypted": DefectClass("the ZIP's entry is encrypted", True, _ZIP),
        "zip_too_many_entries": DefectClass("{count} entries, {size} bytes of directory", False, _OURS),
        "zip_duplicate_entries": DefectClass("the ZIP holds two entries of one name", True, _ZIP),
        "zip_path_trick": DefectClass("an entry's name leads outside: {name!r}", True, _ZIP),
        "zip_bomb": DefectClass("the ZIP's entry would grow {ratio} times, more than {limit}", True, _OURS),
        "nested_unreadable": DefectClass("a package that cannot be read: {why}", True, _QCVN),
        "nested_too_deep": DefectClass(
            "a package inside {level} other(s) is kept but not opened", False, _OURS
        ),
    }
)


def sentence(code: str, /, **facts: object) -> str:
    """The message of the class ``code`` with what was found; long texts are cut at 80 characters."""
    cut = {key: value[:80] if isinstance(value, str) else value for key, value in facts.items()}
    return CLASSES[code].sentence.format(**cut)


def defect(code: str, where: str = "", /, **facts: object) -> Defect:
    """A defect of the class ``code`` at ``where``."""
    return Defect(code, sentence(code, **facts), where)
