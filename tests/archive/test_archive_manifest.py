"""The manifest: exact there and back, one value one text, and readable without this program."""

from __future__ import annotations

import json
import string
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.manifest import MANIFEST_VERSION, FileVerdict, Processed, manifest_bytes, read_manifest
from schemas.document import (
    SCHEMA_VERSION,
    AttachmentRef,
    BusinessType,
    Decoding,
    Direction,
    Flag,
    OfficialDocument,
    Organ,
    RecordKind,
    Reference,
    Relation,
    RelationKind,
    Signer,
    TraceEntry,
    Urgency,
)
from schemas.errors import FatalError
from signatures.verdict import (
    Coverage,
    Indication,
    Integrity,
    Modification,
    SignerCertificate,
    SignerRole,
    TimeStamp,
    Verdict,
)

HANOI = timezone(timedelta(hours=7))

text = st.text(max_size=12)
maybe = st.none() | text
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001
times = st.none() | moments
names = st.lists(text, max_size=2).map(tuple)

organs = st.builds(Organ, name=maybe, organ_id=maybe, in_charge=maybe)
references = st.builds(Reference, uid=maybe, number=maybe, issued_date=st.none() | st.dates())
documents = st.builds(
    OfficialDocument,
    source=text,
    source_key=text,
    revision=text,
    kind=st.sampled_from(RecordKind),
    uid=maybe,
    number=maybe,
    year=st.none() | st.integers(),
    issued_date=st.none() | st.dates(),
    issuer=st.none() | organs,
    subject=maybe,
    direction=st.sampled_from(Direction),
    signers=st.lists(st.builds(Signer, full_name=maybe, position=maybe), max_size=2).map(tuple),
    urgency=st.none() | st.sampled_from(Urgency),
    recipients=st.lists(organs, max_size=2).map(tuple),
    to_places=names,
    business_type=st.none() | st.sampled_from(BusinessType),
    relations=st.lists(
        st.builds(Relation, kind=st.sampled_from(RelationKind), target=references, reason=maybe), max_size=2
    ).map(tuple),
    trace=st.lists(st.builds(TraceEntry, organ_id=maybe, moment=times, text=maybe), max_size=2).map(tuple),
    created_at=times,
    attachments=st.lists(
        st.builds(
            AttachmentRef,
            ordinal=st.integers(1, 9),
            name=text,
            sha256=hashes,
            size=st.integers(0, 2**40),
            media_type=text,
            defects=names,
        ),
        max_size=2,
    ).map(tuple),
    flags=st.lists(st.builds(Flag, field=text, code=text, message=text, value=text), max_size=2).map(tuple),
    decodings=st.lists(
        st.builds(
            Decoding, field=text, original=text, encoding=text, reason=text, confidence=st.floats(0, 1)
        ),
        max_size=2,
    ).map(tuple),
    extra=st.dictionaries(text, names, max_size=3),
)
certificates = st.builds(
    SignerCertificate, text, text, text, text, text, hashes, not_before=moments, not_after=moments
)
stamps = st.builds(TimeStamp, text, times, text, st.sampled_from(Indication), text)
verdicts = st.builds(
    Verdict,
    format=text,
    path=text,
    indication=st.sampled_from(Indication),
    integrity=st.sampled_from(Integrity),
    coverage=st.sampled_from(Coverage),
    modification=st.sampled_from(Modification),
    revision=st.none() | st.integers(1, 9),
    role=st.sampled_from(SignerRole),
    signer=st.none() | certificates,
    claimed_time=times,
    timestamps=st.lists(stamps, max_size=2).map(tuple),
    messages=names,
    verified_at=times,
)
processed_records = st.builds(
    Processed,
    document=documents,
    original_sha256=hashes,
    original_type=text,
    original_size=st.integers(0, 2**40),
    context=st.dictionaries(text, text, max_size=3),
    changed_at=times,
    verdicts=st.lists(
        st.builds(FileVerdict, hashes, st.none() | st.integers(1, 9), text, verdicts), max_size=2
    ).map(tuple),
    received_at=moments,
)


@given(processed_records)
@settings(max_examples=60, deadline=None)
def test_reading_gives_exactly_what_was_written(processed: Processed) -> None:
    data = manifest_bytes(processed)
    again = read_manifest(data)
    assert again == processed
    assert list(again.document.extra) == list(processed.document.extra)
    assert manifest_bytes(again) == data


def conclusion() -> Processed:
    return Processed(
        document=OfficialDocument(
            source="notes_van_ban_di",
            source_key="A1",
            revision="3",
            number="160",
            notation="KL/TU",
            symbol="160-KL/TU",
            issued_date=date(2016, 5, 20),
            issuer=Organ(name="Tỉnh ủy"),
            subject="Về chuyển đổi số",
            extra={"z_cuoi": ("1",), "a_dau": ("2", "")},
        ),
        original_sha256="ab" * 32,
        original_type="application/xml",
        original_size=7,
        context={"file": "vb.dxl"},
        changed_at=datetime(2016, 5, 20, 8, 30, tzinfo=HANOI),
        verdicts=(
            FileVerdict("cd" * 32, 1, "kl160.pdf", Verdict("PDF", "", Indication.NO_SIGNATURE)),
        ),
        received_at=datetime(2024, 1, 2, tzinfo=UTC),
    )  # fmt: skip


def test_the_text_is_canonical_and_keeps_letters_and_offsets() -> None:
    data = manifest_bytes(conclusion())
    fields = json.loads(data)
    assert json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == data
    assert "Về chuyển đổi số".encode() in data
    assert fields["changed_at"] == "2016-05-20T08:30:00+07:00"
    assert fields["document"]["issued_date"] == "2016-05-20"
    assert fields["document"]["extra"] == [["z_cuoi", ["1"]], ["a_dau", ["2", ""]]]
    assert fields["lienthong_manifest"] == 1


def test_letters_are_not_normalised() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Tỉnh ủy") for form in ("NFC", "NFD"))
    assert composed != decomposed
    for name in (composed, decomposed):
        base = conclusion()
        document = base.document.model_copy(update={"issuer": Organ(name=name)})
        again = read_manifest(manifest_bytes(_with(base, document)))
        assert again.document.issuer == Organ(name=name)


def test_undecodable_bytes_of_a_file_name_survive() -> None:
    base = conclusion()
    name = b"c\xf4ng v\xe3n.dxl".decode("utf-8", "surrogateescape")
    processed = Processed(
        base.document, base.original_sha256, base.original_type, 7, {"file": name}, None, (), base.received_at
    )
    assert read_manifest(manifest_bytes(processed)) == processed


def test_originals_of_decoded_text_are_kept_with_the_reason() -> None:
    decoding = Decoding(
        field="subject", original="®\xada V\x19", encoding="tcvn3", reason="form_field", confidence=0.9987
    )
    processed = _with(conclusion(), conclusion().document.model_copy(update={"decodings": (decoding,)}))
    data = manifest_bytes(processed)
    assert json.loads(data)["document"]["decodings"] == [
        {
            "field": "subject",
            "original": "®\u00ada V\u0019",
            "encoding": "tcvn3",
            "reason": "form_field",
            "confidence": 0.9987,
        }
    ]
    assert read_manifest(data) == processed


def test_a_manifest_from_before_originals_were_kept_is_read() -> None:
    fields = json.loads(manifest_bytes(conclusion()))
    del fields["document"]["decodings"]
    fields["document"]["schema_version"] = 1
    read = read_manifest(json.dumps(fields).encode()).document
    assert read == conclusion().document.model_copy(update={"schema_version": 1})


@pytest.mark.parametrize(
    ("place", "known"),
    [(("lienthong_manifest",), MANIFEST_VERSION), (("document", "schema_version"), SCHEMA_VERSION)],
)
def test_a_newer_manifest_is_refused(place: tuple[str, ...], known: int) -> None:
    fields = json.loads(manifest_bytes(conclusion()))
    parent = fields
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = 99
    with pytest.raises(FatalError, match=f"has version 99; expected version {known} or older"):
        read_manifest(json.dumps(fields).encode())


@given(st.binary(max_size=30) | st.text(string.printable, max_size=30).map(str.encode))
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(FatalError, match="manifest cannot be read"):
        read_manifest(data)


def test_a_refusal_does_not_quote_the_document() -> None:
    data = manifest_bytes(conclusion()).replace(b'"2016-05-20"', b'"ng\xc3\xa0y 20"')
    with pytest.raises(FatalError) as caught:
        read_manifest(data)
    assert "issued_date" in str(caught.value)
    assert "ngày 20" not in str(caught.value)


def _with(base: Processed, document: OfficialDocument) -> Processed:
    return Processed(
        document,
        base.original_sha256,
        base.original_type,
        base.original_size,
        base.context,
        base.changed_at,
        base.verdicts,
        base.received_at,
    )
