"""From a source record to an official document, by the source's configuration.

Everything odd is kept and flagged; only what the mapping calls required stops a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from mappings.access import class_of_regime
from mappings.config import AccessSettings, RecordRule, SourceConfig
from mappings.doc_types import resolve_type
from mappings.field_reader import FieldReader
from mappings.groups import cited_relations, read_recipients, read_relations, read_signers, read_trace
from mappings.notation import Symbol, join_symbol, parse_symbol
from mappings.organs import issuer_fits
from mappings.shared_fields import GROUPS, transform_of
from mappings.vietnamese import fold
from schemas.access import AccessClass, strictest
from schemas.document import AttachmentRef, Direction, Flag, OfficialDocument, Organ, RecordKind
from schemas.errors import MappingError
from schemas.limits import LIMITS
from schemas.record import SourceRecord

_SYLLABLE = re.compile(r"[0-9a-z]+")


def normalise(
    record: SourceRecord, config: SourceConfig, attachments: tuple[AttachmentRef, ...] = ()
) -> OfficialDocument:
    """Say what a record means.

    Args:
        record: as a connector delivered it.
        config: of the record's source.
        attachments: the record's files, already in the object store.

    Returns:
        The document: all text in NFC; ``flags`` for everything odd; ``decodings`` with the original of every text
            that was decoded; ``extra`` with every source field that no rule used.

    Raises:
        MappingError: a required field is missing; ``where`` names the mapping's file, line and field.
    """
    reader = FieldReader(record)
    index, rule = _rule_for(reader, config)
    values = _single_values(reader, rule)
    _settle_symbol(values, reader)
    _settle_type(values, rule, reader)
    groups = _group_values(reader, rule, record)
    if rule.kind is not RecordKind.STATUS:
        groups["relations"] += cited_relations(reader, _prose(values), _text(values.get("symbol")))
    _require(values, rule, index, config, reader)
    issuer = _issuer(values, rule, config, reader)
    direction = _direction(rule, issuer, groups["recipients"], config)
    ignored = tuple(pattern.casefold() for pattern in (*config.ignore, *rule.ignore))
    extra = reader.rest(lambda path: any(fnmatchcase(path.casefold(), pattern) for pattern in ignored))
    for defect in record.defects:
        reader.flag("", defect.code, defect.where, defect.message)
    document = OfficialDocument.model_validate(
        {
            **values,
            **groups,
            "source": config.source,
            "source_key": record.listing.key,
            "revision": record.listing.revision,
            "kind": rule.kind,
            "form": record.form,
            "issuer": issuer,
            "direction": direction,
            "access": _access(reader, values, config.access),
            "attachments": attachments,
            "extra": extra,
        }
    )
    found = {"flags": (*reader.flags, *_too_long(document)), "decodings": tuple(reader.decodings)}
    return document.model_copy(update=found)


def _rule_for(reader: FieldReader, config: SourceConfig) -> tuple[int, RecordRule]:
    for index, rule in enumerate(config.records):
        if reader.holds(rule.when):
            return index, rule
    raise MappingError(
        "no rule is for this record", where=config.where("records"), action="add a last rule without `when`"
    )


def _single_values(reader: FieldReader, rule: RecordRule) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, field in rule.fields.items():
        if name in GROUPS:
            continue
        value = reader.read(name, field, transform_of(name), reader.scope)
        if value is not None:
            values[name] = value
    return values


def _group_values(
    reader: FieldReader, rule: RecordRule, record: SourceRecord
) -> dict[str, tuple[object, ...]]:
    values: dict[str, tuple[object, ...]] = dict.fromkeys(GROUPS, ())
    for name, field in rule.fields.items():
        if name == "recipients":
            values[name] = read_recipients(reader, field)
        elif name == "signers":
            values[name] = read_signers(reader, field)
        elif name == "trace":
            values[name] = read_trace(reader, field)
        elif name == "relations":
            values[name] = read_relations(reader, field, record.listing.key)
    return values


def _prose(values: dict[str, object]) -> Iterator[tuple[str, str]]:
    """The texts in which other documents are named."""
    for name in ("subject", "abstract", "body"):
        if text := _text(values.get(name)):
            yield name, text


def _settle_symbol(values: dict[str, object], reader: FieldReader) -> None:
    """Split a printed symbol into number, notation and year; join number and notation into one. Sets
    ``_symbol``."""
    printed = values.get("symbol")
    if printed is None:
        joined = join_symbol(_text(values.get("number")), _text(values.get("notation")))
        if joined is None:
            return
        values["symbol"] = joined
        parsed = parse_symbol(joined)
        if parsed is None and "number" in values and "notation" in values:
            reader.flag("symbol", "unparsed_symbol", joined)
        if parsed is None:
            return
        for noise in parsed.noise:
            reader.flag("symbol", noise, joined)
        symbol = parsed
    elif isinstance(printed, Symbol):
        symbol = printed
        values["symbol"] = symbol.printed
    else:
        return
    values["_symbol"] = symbol
    for name in ("number", "notation", "year"):
        part = getattr(symbol, name)
        if part is None:
            continue
        if name not in values:
            values[name] = part
        elif values[name] != part and not (
            name == "notation" and _text(values[name]) == f"{symbol.year}/{part}"
        ):
            reader.flag(name, "inconsistent_number", f"{values[name]} / {symbol.printed}")


def _settle_type(values: dict[str, object], rule: RecordRule, reader: FieldReader) -> None:
    symbol = values.pop("_symbol", None)
    name = _text(values.get("type_name")) or rule.type_name
    values["_organ_token"] = symbol.organ if isinstance(symbol, Symbol) else None
    if rule.kind is not RecordKind.DOCUMENT:
        return
    resolved = resolve_type(
        name,
        symbol if isinstance(symbol, Symbol) else None,
        (_text(values.get("subject")) or "", _text(values.get("body")) or ""),
    )
    if resolved.name:
        values["type_name"] = resolved.name
    if resolved.code:
        values.setdefault("type_code", resolved.code)
    for problem in resolved.problems:
        if problem == "unknown_type" and any(flag.code == problem for flag in reader.flags) and not name:
            continue  # the symbol has said so already
        reader.flag("type_name", problem, name or _text(values.get("symbol")) or "")


def _require(
    values: dict[str, object], rule: RecordRule, index: int, config: SourceConfig, reader: FieldReader
) -> None:
    """Refuse a record that lacks what its rule requires; what is printed and cannot be read is not
    lacking."""
    present = {*values, *(flag.field for flag in reader.flags if flag.value and flag.code != "null_literal")}
    action = "correct the record in its source, or the mapping, and release it from quarantine"
    for name, field in rule.fields.items():
        if field.required and name not in present and name not in GROUPS:
            raise MappingError(
                f"the record has no {name}",
                where=config.where("records", index, "fields", name),
                expected=f"text in {', '.join(field.from_)}",
                action=action,
            )
    for needed in rule.require_any:
        if not present.intersection(needed):
            raise MappingError(
                f"the record has none of {', '.join(needed)}",
                where=config.where("records", index, "require_any"),
                expected="at least one of them",
                action=action,
            )


def _issuer(
    values: dict[str, object], rule: RecordRule, config: SourceConfig, reader: FieldReader
) -> Organ | None:
    """The issuer as the record names it; of an outgoing document without one, the organ that its notation
    means."""
    token = values.pop("_organ_token", None)
    parts = {name: values.pop(name) for name in list(values) if name.startswith("issuer.")}
    organ = {name.removeprefix("issuer."): value for name, value in parts.items()}
    if organ:
        issuer = Organ.model_validate(organ)
        if (
            rule.kind is RecordKind.DOCUMENT
            and token
            and issuer.name
            and not issuer_fits(str(token), issuer.name)
        ):
            reader.flag("issuer", "issuer_mismatch", f"{token} / {issuer.name}")
        return issuer
    if rule.kind is not RecordKind.DOCUMENT or rule.direction is not Direction.OUTGOING:
        return None
    name = config.organ.issues_as.get(str(token)) if token else None
    if name is None:
        name = config.organ.name
    reader.flag("issuer", "assumed_issuer", name)
    return Organ(name=name, organ_id=config.organ.organ_id if name == config.organ.name else None)


def _direction(
    rule: RecordRule, issuer: Organ | None, recipients: tuple[object, ...], config: SourceConfig
) -> Direction:
    if isinstance(rule.direction, Direction):
        return rule.direction
    own = {code for code in (config.organ.organ_id, *config.organ.former_ids) if code}
    if issuer and issuer.organ_id in own:
        return Direction.OUTGOING
    if any(isinstance(organ, Organ) and organ.organ_id in own for organ in recipients):
        return Direction.INCOMING
    return Direction.UNKNOWN


def _access(reader: FieldReader, values: dict[str, object], settings: AccessSettings) -> AccessClass:
    """The strictest of what the source, its rules and the record's own regime of use say."""
    subject = f" {_syllables(_text(values.get('subject')) or '')} "
    return strictest(
        (
            settings.default,
            class_of_regime(_text(values.get("use_regime"))),
            *(
                rule.access
                for rule in settings.rules
                if reader.holds(rule.when)
                and (not rule.subject or any(f" {_syllables(words)} " in subject for words in rule.subject))
            ),
        )
    )


def _syllables(text: str) -> str:
    return " ".join(_SYLLABLE.findall(fold(text)))


def _too_long(document: OfficialDocument) -> Iterable[Flag]:
    """A flag for every text longer than its standard allows."""
    for name, limit in LIMITS.items():
        head, _, part = name.partition(".")
        held = getattr(document, head)
        for item in held if isinstance(held, tuple) else (held,):
            value = getattr(item, part) if part and item is not None else item
            if isinstance(value, str) and len(value) > limit.length:
                message = (
                    f"{len(value)} characters, more than the {limit.length} of {limit.source}; kept whole."
                )
                yield Flag(field=head, code="too_long", message=message)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
