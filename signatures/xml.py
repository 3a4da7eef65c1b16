"""XML signatures: XMLDSig and XAdES-B/-T, in edXML and elsewhere.

xmlsec computes, behind the strict reading of ``xml_guard``: what it is given has no DTD, one meaning for
every identifier and references only into itself. Trust is judged as for CMS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import xmlsec
from asn1crypto import x509
from lxml import etree

from signatures.algorithms import CutOff, digest_cut_off, key_cut_off
from signatures.certificate import describe_certificate, role_of
from signatures.chain import FileEvidence, Judge
from signatures.cms import JudgeFor
from signatures.signer import apply_trust, failed, proven_time, with_tokens
from signatures.timestamps import JudgedToken, imprint_of, judge_token
from signatures.verdict import Coverage, Indication, Integrity, Modification, Verdict
from signatures.xades import Properties, read_properties
from signatures.xml_guard import (
    BASE64,
    DIGESTS,
    DS,
    ID_NAMES,
    SIGNATURES,
    DataNotFoundError,
    NotSupportedError,
    Prepared,
    RefusedError,
    identifiers,
    lookalikes,
    parse,
    prepare,
    signatures_of,
)
from signatures.xml_keys import as_pem, choose_signer, family_and_bits, public_key_of, read_key_info
from signatures.xml_scope import scope_of

_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


@dataclass(frozen=True, slots=True)
class _Key:
    """The key to verify with: SubjectPublicKeyInfo, and the certificate that carries it if there is one."""

    spki: bytes
    certificate: x509.Certificate | None
    others: tuple[x509.Certificate, ...]


def verify_xml(data: bytes, judge_for: JudgeFor | None, blank: Verdict) -> list[Verdict]:
    """The verdicts of an XML file; ``judge_for`` is ``None`` to judge integrity alone.

    Raises:
        Exception: whatever the parser raises on a file without a trace of a signature; the caller turns it
            into ERROR.
    """
    try:
        root = parse(data)
        found = signatures_of(root)
    except RefusedError as error:
        if _mentions(data, DS.encode()) or _mentions(data, b"<!ENTITY"):
            return [failed(blank, "FORMAT_FAILURE", str(error))]
        return [replace(blank, indication=Indication.UNSUPPORTED, messages=(str(error),))]
    except etree.XMLSyntaxError as error:
        if _mentions(data, DS.encode()):
            return [failed(blank, "FORMAT_FAILURE", f"signed XML that is not well-formed: {error}")]
        raise
    others = [
        failed(replace(blank, path=_path(item)), "FORMAT_FAILURE", _LOOKALIKE) for item in lookalikes(root)
    ]
    if not found:
        return others or [replace(blank, indication=Indication.NO_SIGNATURE)]
    try:
        ids = identifiers(root)
    except RefusedError as error:
        return [failed(replace(blank, path=_path(item)), "FORMAT_FAILURE", str(error)) for item in found]
    return [_guarded(item, ids, judge_for, replace(blank, path=_path(item))) for item in found] + others


def _mentions(data: bytes, word: bytes) -> bool:
    """True when ``word`` stands in the file, in ASCII or UTF-16."""
    return word in data or word in data.replace(b"\x00", b"")


_LOOKALIKE = "an element built like a signature, outside the namespace of XML signatures"


def _guarded(
    signature: etree._Element, ids: dict[str, etree._Element], judge_for: JudgeFor | None, start: Verdict
) -> Verdict:
    try:
        return _judged(prepare(signature, ids), judge_for, start)
    except RefusedError as error:
        return failed(start, "FORMAT_FAILURE", str(error))
    except NotSupportedError as error:
        return replace(start, indication=Indication.UNSUPPORTED, messages=(f"not evaluated: {error}",))
    except DataNotFoundError as error:
        return _indeterminate(start, "SIGNED_DATA_NOT_FOUND", str(error))
    except Exception as error:
        return replace(
            start,
            indication=Indication.ERROR,
            messages=(f"XML engine raised {type(error).__name__}: {error}",),
        )


def _judged(prepared: Prepared, judge_for: JudgeFor | None, start: Verdict) -> Verdict:
    properties = read_properties(prepared)
    family, digest = SIGNATURES[prepared.method]
    digests = sorted({DIGESTS[item.digest] for item in prepared.references})
    start = replace(
        start,
        claimed_time=properties.claimed_time,
        algorithms=(*digests, prepared.method.rpartition("#")[2]),
        coverage=scope_of(prepared),
        modification=Modification.NONE,
    )
    key = _key(prepared, properties)
    if key is None:
        message = "no certificate or key in the signature, or more than one that could be the signer's"
        return _indeterminate(start, "NO_SIGNING_CERTIFICATE_FOUND", message)
    if key.certificate is not None:
        start = replace(start, signer=describe_certificate(key.certificate), role=role_of(key.certificate))
    kind, bits = family_and_bits(key.spki)
    if kind != family:
        return failed(
            start, "SIG_CRYPTO_FAILURE", f"a signature of family {family} with a key of family {kind}"
        )
    if not _holds(prepared, key):
        return _broken(prepared, key, start)
    start = replace(start, indication=Indication.TOTAL_PASSED, integrity=Integrity.INTACT)
    judge = judge_for(FileEvidence(key.others)) if judge_for else None
    tokens = tuple(_token(prepared, c14n, token, judge) for c14n, token in properties.tokens)
    verdict = _constrained(with_tokens(start, tokens), key, properties)
    if judge is None:
        return verdict
    return _trusted(
        verdict,
        key,
        judge,
        tokens,
        [
            *((digest_cut_off(name), f"digest {name}") for name in {digest, *digests}),
            (key_cut_off(kind, bits), f"{kind} key of {bits} bits"),
        ],
    )


def _key(prepared: Prepared, properties: Properties) -> _Key | None:
    info = read_key_info(prepared.element)
    certificate = choose_signer(info, list(properties.named))
    if certificate is None:
        if info.certificates or info.bare is None:
            return None
        return _Key(info.bare, None, ())
    spki = public_key_of(certificate)
    if info.bare is not None and as_pem(info.bare) != as_pem(spki):
        raise RefusedError("KeyValue and the signing certificate hold different keys")
    return _Key(spki, certificate, tuple(item for item in info.certificates if item is not certificate))


def _holds(prepared: Prepared, key: _Key) -> bool:
    """Digests and signature value hold for the key, computed by xmlsec."""
    # no reference can open a file or an address: a second bar behind the strict reading
    xmlsec.cleanup_callbacks()
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(as_pem(key.spki), xmlsec.constants.KeyDataFormatPem, None)
    if not prepared.element.findall(
        f".//{{{DS}}}Transform[@Algorithm='{BASE64}']"
    ):  # xmlsec has no name to enable it by
        for transform in _TRANSFORMS:
            context.enable_reference_transform(transform)
    for reference in prepared.references:
        if reference.id:
            _register(context, reference.target, reference.id)
    try:
        context.verify(prepared.element)
    except xmlsec.Error:
        return False
    return True


def _register(context: xmlsec.SignatureContext, element: etree._Element, identifier: str) -> None:
    for name in ID_NAMES:
        if element.get(name) == identifier:
            qualified = etree.QName(name)
            context.register_id(element, qualified.localname, qualified.namespace)
            return


_TRANSFORMS = tuple(
    getattr(xmlsec.constants, f"Transform{name}")
    for name in [
        "Enveloped",
        "InclC14N",
        "InclC14NWithComments",
        "InclC14N11",
        "InclC14N11WithComments",
        "ExclC14N",
        "ExclC14NWithComments",
        "XPath",
        "XPath2",
        "Sha1",
        "Sha224",
        "Sha256",
        "Sha384",
        "Sha512",
    ]
)
"""What xmlsec may run in a reference: the lists of ``xml_guard`` once more, in xmlsec's terms."""


def _broken(prepared: Prepared, key: _Key, start: Verdict) -> Verdict:
    """Which of the two does not hold, as far as it can be told: xmlsec only says that something does not."""
    info = prepared.element.find(f"{{{DS}}}SignedInfo")
    exclusive = prepared.canonicalization.startswith(_EXCLUSIVE)
    octets = etree.tostring(
        info,
        method="c14n",
        exclusive=exclusive,
        with_comments=prepared.canonicalization.endswith("WithComments"),
    )
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(as_pem(key.spki), xmlsec.constants.KeyDataFormatPem, None)
    method = _METHODS.get(prepared.method)
    try:
        if method is None:
            raise xmlsec.Error("no such method")
        context.verify_binary(octets, method, prepared.value)
    except xmlsec.Error:
        return failed(
            start, "SIG_CRYPTO_FAILURE", "the signature value does not hold for the signing certificate's key"
        )
    return failed(start, "HASH_FAILURE", "the signed content is not what was signed")


_METHODS = {
    uri: getattr(
        xmlsec.constants, f"Transform{ {'ec': 'Ecdsa', 'rsa': 'Rsa', 'dsa': 'Dsa'}[family] }{digest.title()}"
    )
    for uri, (family, digest) in SIGNATURES.items()
    if not uri.endswith("MGF1")
}


def _token(prepared: Prepared, c14n: str, token: bytes, judge: Judge | None) -> JudgedToken:
    value = prepared.element.find(f"{{{DS}}}SignatureValue")
    octets = etree.tostring(
        value,
        method="c14n",
        exclusive=c14n.startswith(_EXCLUSIVE),
        with_comments=c14n.endswith("WithComments"),
        with_tail=False,
    )
    return judge_token(token, "signature", imprint_of(octets), judge)


def _constrained(verdict: Verdict, key: _Key, properties: Properties) -> Verdict:
    """Refuse to pass what is intact and yet says something else than it should."""
    if verdict.indication is not Indication.TOTAL_PASSED:
        return verdict
    if verdict.coverage is not Coverage.WHOLE_FILE:
        return _indeterminate(verdict, "SIG_CONSTRAINTS_FAILURE", "only a part of the file is signed")
    if key.certificate and properties.serials and properties.serials[0] != key.certificate.serial_number:
        message = "SigningCertificate names another serial number than the signing certificate's"
        return _indeterminate(verdict, "SIG_CONSTRAINTS_FAILURE", message)
    return verdict


def _trusted(
    verdict: Verdict,
    key: _Key,
    judge: Judge,
    tokens: tuple[JudgedToken, ...],
    limits: list[tuple[CutOff | None, str]],
) -> Verdict:
    if key.certificate is None:
        message = "the signature has a bare key and no certificate: nobody vouches for the signer"
        return _indeterminate(verdict, "NO_SIGNING_CERTIFICATE_FOUND", message)
    outcome = judge.certificate(key.certificate, key.others)
    proven = proven_time(tokens)
    if outcome.improvable is not None and proven is not None:
        outcome = judge.past(key.certificate, key.others, outcome, proven)
    verdict = apply_trust(verdict, outcome, judge.at, proven)
    return _limited(verdict, limits, proven or judge.at)


def _limited(verdict: Verdict, limits: list[tuple[CutOff | None, str]], moment: datetime) -> Verdict:
    if verdict.indication is not Indication.TOTAL_PASSED:
        return verdict
    for cut_off, what in limits:
        if cut_off is not None and (cut_off.not_after is None or moment > cut_off.not_after):
            sub = "CRYPTO_CONSTRAINTS_FAILURE" + ("" if cut_off.not_after is None else "_NO_POE")
            return _indeterminate(verdict, sub, f"{what} is too weak ({cut_off.source})")
    return verdict


def _indeterminate(verdict: Verdict, sub_indication: str, message: str) -> Verdict:
    return replace(
        verdict,
        indication=Indication.INDETERMINATE,
        sub_indication=sub_indication,
        messages=(message, *verdict.messages),
    )


def _path(element: etree._Element) -> str:
    identifier = element.get("Id")
    return f"#{identifier}" if identifier else str(element.getroottree().getpath(element))
