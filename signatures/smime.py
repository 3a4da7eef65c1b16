"""S/MIME: signed mail, part by part, from its raw bytes; and whether the signer is who the mail says it is from.

RFC 8551 (messages), RFC 8550 §3 (the sender's address against the certificate). A pass needs the whole mail
inside the signature: whatever stands beside a signed part is what MIME wrapping shows instead of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from schemas.record import BytesContent
from signatures.cms import JudgeFor, enclosed_content, load_signed_data, verify_cms
from signatures.mime_parts import (
    MAX_DEPTH,
    MAX_PARTS,
    MimeError,
    Part,
    canonical,
    children,
    read_part,
    speaks_of_signing,
)
from signatures.signer import failed
from signatures.verdict import Coverage, Identity, Indication, Integrity, Verdict

_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_ENVELOPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURE_PART = re.compile(
    rb"^content-type[ \t]*:\s*application/(?:x-)?pkcs7-(?:signature|mime)", re.IGNORECASE | re.MULTILINE
)
_SEQUENCE = b"\x30"
_NOT_DER = "a CMS part that is no CMS structure under the transfer encoding that it names"
_INLINE_PGP = (b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP SIGNATURE-----")


@dataclass(slots=True)
class _Walk:
    judge_for: JudgeFor | None
    blank: Verdict
    verdicts: list[Verdict]
    parts: int = 0
    reached: bool = False


def verify_smime(data: bytes, judge_for: JudgeFor | None, blank: Verdict) -> list[Verdict]:
    """The verdicts of a mail; ``path`` is the number of the signed part (``1.2``), ``0`` for the whole mail.

    ``judge_for`` is ``None`` to judge integrity alone; the sender is then compared and reported, no more.
    """
    walk = _Walk(judge_for, blank, [])
    try:
        message = read_part(data)
        _visit(walk, message, message.header, "", whole=True)
    except MimeError as error:
        if not walk.verdicts and not speaks_of_signing(data):
            return [replace(blank, indication=Indication.UNSUPPORTED, messages=(str(error),))]
        walk.verdicts.append(failed(blank, "FORMAT_FAILURE", str(error)))
    if any(mark in data for mark in _INLINE_PGP):
        message_text = "a PGP signature: not evaluated"
        walk.verdicts.append(replace(blank, indication=Indication.UNSUPPORTED, messages=(message_text,)))
    if not walk.verdicts and not walk.reached and _SIGNATURE_PART.search(data):
        return [
            replace(
                blank,
                indication=Indication.INDETERMINATE,
                sub_indication="SIGNED_DATA_NOT_FOUND",
                messages=("a signature that the parts of the mail do not lead to",),
            )
        ]
    return walk.verdicts or [replace(blank, indication=Indication.NO_SIGNATURE)]


def _visit(walk: _Walk, part: Part, mail: Message, path: str, *, whole: bool, depth: int = 0) -> None:
    walk.parts += 1
    if depth > MAX_DEPTH or walk.parts > MAX_PARTS:
        raise MimeError(f"parts nested deeper than {MAX_DEPTH}, or more than {MAX_PARTS} of them")
    walk.reached |= part.type == "multipart/signed" or part.type in _SIGNATURES | _ENVELOPES
    if part.type == "multipart/signed":
        _signed(walk, part, mail, path, whole=whole, depth=depth)
    elif part.type.startswith("multipart/"):
        for number, raw in enumerate(children(part), start=1):
            _visit(walk, read_part(raw), mail, _below(path, number), whole=False, depth=depth + 1)
    elif part.type == "message/rfc822":
        inner = read_part(part.decoded)
        _visit(walk, inner, inner.header, _below(path, 1), whole=False, depth=depth + 1)
    elif part.type in _ENVELOPES:
        _opaque(walk, part, mail, path, whole=whole, depth=depth)
    elif part.type in _SIGNATURES:
        message = "a detached signature without the part that it signs"
        walk.verdicts.append(failed(_start(walk, path), "FORMAT_FAILURE", message))


def _signed(walk: _Walk, part: Part, mail: Message, path: str, *, whole: bool, depth: int) -> None:
    start = _start(walk, path)
    protocol = part.parameters.get("protocol", "").lower()
    inside = children(part)
    if protocol and protocol not in _SIGNATURES:
        message = f"multipart/signed by {protocol[:60]!r}: not evaluated"
        walk.verdicts.append(replace(start, indication=Indication.UNSUPPORTED, messages=(message,)))
        return
    if len(inside) != 2:
        message = f"multipart/signed with {len(inside)} parts instead of two"
        walk.verdicts.append(failed(start, "FORMAT_FAILURE", message))
        return
    content, signature = read_part(inside[0]), read_part(inside[1])
    if signature.type not in _SIGNATURES:
        message = f"the second part of multipart/signed is {signature.type[:60]!r}, not a signature"
        walk.verdicts.append(failed(start, "FORMAT_FAILURE", message))
        return
    if not signature.decoded.startswith(_SEQUENCE):
        walk.verdicts.append(failed(start, "FORMAT_FAILURE", _NOT_DER))
        return
    found = verify_cms(signature.decoded, BytesContent(canonical(content.raw)), walk.judge_for, start)
    walk.verdicts += [
        _bound(item, mail, path, whole=whole, trusted=walk.judge_for is not None) for item in found
    ]
    _visit(walk, content, mail, _below(path, 1), whole=whole, depth=depth + 1)


def _opaque(walk: _Walk, part: Part, mail: Message, path: str, *, whole: bool, depth: int) -> None:
    """A part that is a CMS structure: signed with its content inside, encrypted, or only certificates."""
    start = _start(walk, path)
    kind = part.parameters.get("smime-type", "").lower()
    data = part.decoded
    if not data.startswith(_SEQUENCE):
        walk.verdicts.append(failed(start, "FORMAT_FAILURE", _NOT_DER))
        return
    try:
        signed_data = load_signed_data(data)
    except (ValueError, TypeError, KeyError) as error:
        if kind in {"", "signed-data"} and "signed_data" in str(error):
            message = f"an encrypted or unknown part ({error}): not evaluated"
            walk.verdicts.append(replace(start, indication=Indication.UNSUPPORTED, messages=(message,)))
        elif kind in {"enveloped-data", "authenveloped-data", "compressed-data"}:
            message = f"a part of type {kind}: what is in it cannot be read here"
            walk.verdicts.append(replace(start, indication=Indication.UNSUPPORTED, messages=(message,)))
        else:
            walk.verdicts.append(
                failed(start, "FORMAT_FAILURE", f"the CMS structure cannot be read: {error}")
            )
        return
    if kind == "certs-only" and not len(signed_data["signer_infos"]):
        return
    found = verify_cms(data, None, walk.judge_for, start)
    walk.verdicts += [
        _bound(item, mail, path, whole=whole, trusted=walk.judge_for is not None) for item in found
    ]
    content = enclosed_content(signed_data)
    if content:
        _visit(walk, read_part(content), mail, _below(path, 1), whole=whole, depth=depth + 1)


def _start(walk: _Walk, path: str) -> Verdict:
    return replace(walk.blank, path=path or "0")


def _below(path: str, number: int) -> str:
    return f"{path}.{number}" if path else str(number)


def _bound(verdict: Verdict, mail: Message, path: str, *, whole: bool, trusted: bool) -> Verdict:
    """The verdict with its place in the mail: a pass only for all of it, from its sender."""
    place = path or "0"
    signer = verdict.path if verdict.path.startswith("signer") else ""
    verdict = replace(verdict, path=f"{place} {signer}".strip())
    if verdict.integrity is not Integrity.INTACT:
        return verdict
    identity = identity_of(mail, verdict.signer.emails if verdict.signer else ())
    verdict = replace(verdict, identity=identity)
    if not whole:
        verdict = replace(verdict, coverage=Coverage.PARTIAL)
        message = "only a part of the mail is signed; what stands beside it is not"
        return _constrained(verdict, message)
    if trusted and identity is not Identity.MATCH:
        return _constrained(verdict, _IDENTITY[identity])
    return verdict


_IDENTITY = {
    Identity.MISMATCH: "the certificate names another address than the mail's From",
    Identity.NO_ADDRESS: "the certificate names no mail address",
    Identity.AMBIGUOUS: "the mail does not say clearly who it is from",
}


def _constrained(verdict: Verdict, message: str) -> Verdict:
    if verdict.indication is not Indication.TOTAL_PASSED:
        return verdict
    return replace(
        verdict,
        indication=Indication.INDETERMINATE,
        sub_indication="SIG_CONSTRAINTS_FAILURE",
        messages=(message, *verdict.messages),
    )


def identity_of(mail: Message, emails: tuple[str, ...]) -> Identity:
    """Whether the one address in the mail's one From is one of the certificate's ``emails`` (RFC 8550 §3).

    Anything that mail programs show in different ways is AMBIGUOUS: several From fields or addresses, encoded
    or control characters in an address, a Sender beside From.
    """
    if not emails:
        return Identity.NO_ADDRESS
    fields = [str(field) for field in mail.get_all("From", [])]
    if len(fields) != 1 or (mail.get_all("Sender") is not None and not _agrees(mail, fields[0])):
        return Identity.AMBIGUOUS
    addresses = [address for _, address in getaddresses(fields) if address]
    if len(addresses) != 1 or not _is_plain(fields[0], addresses[0]):
        return Identity.AMBIGUOUS
    return Identity.MATCH if _same(addresses[0], emails) else Identity.MISMATCH


def _agrees(mail: Message, field: str) -> bool:
    senders = [address for _, address in getaddresses([str(item) for item in mail.get_all("Sender", [])])]
    return senders == [address for _, address in getaddresses([field])]


def _is_plain(field: str, address: str) -> bool:
    """No other address hides in the display name, and the address itself is plain ASCII."""
    shown = "".join(
        piece if isinstance(piece, str) else piece.decode(charset or "latin-1", "replace")
        for piece, charset in decode_header(field)
    )
    return address.isascii() and address.isprintable() and " " not in address and shown.count("@") == 1


def _same(address: str, emails: tuple[str, ...]) -> bool:
    return address.casefold() in {email.casefold() for email in emails}
