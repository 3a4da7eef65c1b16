"""Reads the fields of one record for its mapping: finds, decodes, transforms, and remembers what was used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mappings.config import Condition, EachRule, FieldRule
from mappings.field_paths import find, leaves, members
from mappings.transforms import PROBLEMS, TRANSFORMS
from mappings.vietnamese import Decoded, Reason, RecordText, fold
from schemas.document import Decoding, Flag
from schemas.record import Field, SourceRecord

_VALUE_LIMIT = 500  # characters of the printed value that a flag repeats: the whole is in the original


@dataclass(frozen=True, slots=True)
class Scope:
    """Where paths are looked up: the record's fields, a structured field's parts, or one member of a list.

    Attributes:
        member: the member decoded; printed: as the source prints it.
    """

    fields: tuple[Field, ...]
    member: Decoded | None = None
    printed: str = ""


class FieldReader:
    """Reading one record.

    Args:
        record: the record; all its texts together tell how those without fonts are decoded.

    Attributes:
        flags: what was odd so far, in the order of reading.
        decodings: what was decoded so far, with the originals.
    """

    def __init__(self, record: SourceRecord) -> None:
        self.flags: list[Flag] = []
        self.decodings: list[Decoding] = []
        self._record = record
        self._used: set[int] = set()
        self._all = tuple(leaves(record.fields))
        self._text = RecordText.of(field for _, field in self._all)

    @property
    def scope(self) -> Scope:
        """The record as a whole."""
        return Scope(self._record.fields)

    def holds(self, condition: Condition | None) -> bool:
        """True when the record meets ``condition``; ``None`` is met by every record."""
        if condition is None:
            return True
        if condition.form and fold(self._record.form) not in {fold(form) for form in condition.form}:
            return False
        if condition.kind and condition.kind != self._record.kind:
            return False
        for path, wanted in condition.equals.items():
            held = {
                fold(decoded.text)
                for field in find(self._record.fields, path)
                for decoded in self._decoded(field)
            }
            if not held & {fold(value) for value in wanted}:
                return False
        return all(map(self._has, condition.present)) and not any(map(self._has, condition.absent))

    def read(self, name: str, rule: FieldRule, transform: str, scope: Scope) -> object | None:
        """The value of the shared field ``name`` by ``rule``; what is odd becomes flags."""
        if rule.value is not None:
            return rule.value
        printed = self._printed(name, rule.from_, scope)
        if not printed and rule.default is not None:
            printed = (rule.default,)
        if not printed:
            return None
        reading = TRANSFORMS[rule.transform or transform](printed)
        for problem in reading.problems:
            self.flag(name, problem, "\n".join(printed))
        return reading.value

    def scopes(self, each: EachRule) -> Iterator[Scope]:
        """A scope for every group that ``each`` finds, in order."""
        if not self.holds(each.when):
            return
        if each.path == ".":
            yield self.scope
            return
        for field in find(self._record.fields, each.path):
            if field.children:
                yield Scope(field.children)
                continue
            self._used.add(id(field))
            for decoded, printed in zip(self._decoded(field), members(field), strict=True):
                if decoded.text.strip():
                    yield Scope((), decoded, printed)

    def rest(self, ignored: Callable[[str], bool]) -> dict[str, tuple[str, ...]]:
        """What no rule used, by path: every member that holds something, decoded; ``ignored`` paths are left
        out."""
        extra: dict[str, tuple[str, ...]] = {}
        for path, field in self._all:
            if id(field) in self._used or ignored(path):
                continue
            found = self._decoded(field, "extra", path)
            texts = tuple(decoded.text for decoded in found if decoded.text.strip())
            if texts:
                extra[path] = (*extra.get(path, ()), *texts)
        return extra

    def flag(self, name: str, code: str, value: str = "", message: str = "") -> None:
        """Remember that something was odd in ``name``; the same is remembered once."""
        flag = Flag(field=name, code=code, message=message or PROBLEMS[code], value=value[:_VALUE_LIMIT])
        if flag not in self.flags:
            self.flags.append(flag)

    def _has(self, path: str) -> bool:
        return any(field.text.strip() for field in find(self._record.fields, path))

    def _printed(self, name: str, paths: tuple[str, ...], scope: Scope) -> tuple[str, ...]:
        for path in paths:
            if path == "." and scope.member is not None:
                self._note_decoding(name, scope.member, scope.printed)
                return (scope.member.text,)
            values: list[str] = []
            for field in find(scope.fields, path):
                self._used.add(id(field))
                values += [decoded.text for decoded in self._decoded(field, name) if decoded.text.strip()]
            if values:
                return tuple(values)
        return ()

    def _decoded(self, field: Field, name: str = "", part: str = "") -> list[Decoded]:
        """The members decoded; with the ``name`` of a shared field (and a ``part`` of it), what that took is noted."""
        decoded = self._text.decode_field(field)
        if name and any(run.hidden and run.text.strip() for run in field.runs):
            self.flag(name, "hidden_text", message="Part of this text is hidden from readers in the source.")
        if name:
            for result, printed in zip(decoded, members(field), strict=True):
                self._note_decoding(name, result, printed, part)
        return decoded

    def _note_decoding(self, name: str, decoded: Decoded, printed: str, part: str = "") -> None:
        for basis in decoded.bases:
            decoding = Decoding(
                field=f"{name}.{part}" if part else name,
                original=printed,
                encoding=basis.encoding,
                reason=basis.reason,
                confidence=int(basis.confidence * 10_000) / 10_000,
            )
            if decoding not in self.decodings:
                self.decodings.append(decoding)
            if basis.reason is not Reason.COMPOSED:
                message = (
                    f"The text was decoded from {basis.encoding.upper()}; its original stands beside it."
                )
                self.flag(name, f"decoded_{basis.encoding}", printed, message)
        if not decoded.bases and self._text.guess(printed):
            message = (
                "The text looks like legacy Vietnamese, but too little to be sure; it was left as it is."
            )
            self.flag(name, "legacy_text_suspected", printed, message)
