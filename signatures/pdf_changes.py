"""What later revisions of a signed PDF may change: pyHanko's rules, with our own for the document security store.

The security store (ISO 32000-2 §12.8.4.3) holds certificates, revocation lists and answers: evidence that is
judged by itself and shows nothing to a reader. Entries for validated signatures (``/VRI``) are rewritten by
programs that renew a signature's evidence; pyHanko takes that for tampering. Less evidence never makes a
verdict better, so it is let through, as long as what is new are streams of evidence and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.reader import HistoricalResolver, RawPdfPath
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DocInfoRule,
    FormUpdatingRule,
    GenericFieldModificationRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
    XrefStreamRule,
)
from pyhanko.sign.diff_analysis.commons import assert_not_stream, compare_key_refs
from pyhanko.sign.diff_analysis.constants import VRI_KEY_PATTERN
from pyhanko.sign.diff_analysis.rules.form_field_rules import _validate_dss_substructure
from pyhanko.sign.diff_analysis.rules_api import Context, ReferenceUpdate, WhitelistRule

_STREAMS = frozenset({"/Certs", "/CRLs", "/OCSPs"})
_ENTRY_STREAMS = frozenset({"/Cert", "/CRL", "/OCSP"})


class SecurityStoreRule(WhitelistRule):
    """Allows updates of ``/DSS`` that add, renew or drop evidence, and nothing else below it."""

    def apply(self, old: HistoricalResolver, new: HistoricalResolver) -> Iterable[ReferenceUpdate]:
        """The references that such an update may touch.

        Raises:
            SuspiciousModification: something else than evidence stands in the store.
        """
        place = Context.from_absolute(old, RawPdfPath("/Root", "/DSS"))
        old_store, new_store = yield from misc.map_with_return(
            compare_key_refs("/DSS", old, old.root, new.root),
            ReferenceUpdate.curry_ref(context_checked=place),
        )
        if new_store is None:
            return
        before, after = _dictionary(old_store, "/DSS"), _dictionary(new_store, "/DSS")
        _only(after, _STREAMS | {"/Type", "/VRI"}, "/DSS")
        yield from _validate_dss_substructure(old, new, before, after, _STREAMS, is_vri=False, context=place)
        entries_place = Context.from_absolute(old, RawPdfPath("/Root", "/DSS", "/VRI"))
        old_entries, new_entries = yield from misc.map_with_return(
            compare_key_refs("/VRI", old, before, after),
            ReferenceUpdate.curry_ref(context_checked=entries_place),
        )
        if new_entries is not None:
            yield from _entries(old, new, _dictionary(old_entries, "/VRI"), _dictionary(new_entries, "/VRI"))


def _entries(
    old: HistoricalResolver,
    new: HistoricalResolver,
    before: generic.DictionaryObject,
    after: generic.DictionaryObject,
) -> Iterator[ReferenceUpdate]:
    for key in after:
        value = after.raw_get(key)
        if key in before and before.raw_get(key) == value:
            continue
        if not VRI_KEY_PATTERN.match(key):
            raise SuspiciousModification(f"VRI key {key} is not formatted correctly.")
        if isinstance(value, generic.IndirectObject) and old.is_ref_unassignable(value.reference):
            yield ReferenceUpdate(value.reference)
        entry = _dictionary(value.get_object(), f"VRI entry {key}")
        _only(entry, _ENTRY_STREAMS | {"/Type", "/TU", "/TS"}, f"VRI entry {key}")
        place = Context.from_absolute(old, RawPdfPath("/Root", "/DSS", "/VRI", key))
        nothing = generic.DictionaryObject()
        yield from _validate_dss_substructure(
            old, new, nothing, entry, _ENTRY_STREAMS, is_vri=True, context=place
        )
        try:
            stamp = entry.get_value_as_reference("/TS", optional=True)
        except misc.IndirectObjectExpected:
            continue
        if stamp is not None and old.is_ref_unassignable(stamp):
            yield ReferenceUpdate(stamp)


def _dictionary(value: object, what: str) -> generic.DictionaryObject:
    if value is None:
        return generic.DictionaryObject()
    if not isinstance(value, generic.DictionaryObject):
        raise SuspiciousModification(f"{what} is not a dictionary")
    assert_not_stream(value)
    return value


def _only(found: generic.DictionaryObject, allowed: frozenset[str], what: str) -> None:
    if not found.keys() <= allowed:
        raise SuspiciousModification(f"Unexpected keys in {what}: {sorted(found.keys() - allowed)}.")


POLICY = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(),
        *(
            rule.as_qualified(ModificationLevel.LTA_UPDATES)
            for rule in (
                DocInfoRule(),
                XrefStreamRule(),
                ObjectStreamRule(),
                SecurityStoreRule(),
                MetadataUpdateRule(),
            )
        ),
    ],
    form_rule=FormUpdatingRule(
        field_rules=[SigFieldCreationRule(), SigFieldModificationRule(), GenericFieldModificationRule()]
    ),
)
"""pyHanko's default policy, with ``SecurityStoreRule`` in place of its own rule."""
