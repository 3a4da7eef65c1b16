"""XML signatures: XMLDSig and XAdES-B/-T, in edXML and elsewhere.

xmlsec computes, behind the strict reading of ``xml_guard``: what it is given has no DTD, one meaning for
every identifier and references only into itself. Trust is judged as for CMS.
"""

from __future__ import annotations

import copy
import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import xmlsec
from asn1crypto import x509
from lxml import etree

from schemas.record import Content
from signatures.algorithms import CutOff, digest_cut_off, key_cut_off
from signatures.certificate import describe_certificate, role_of
from signatures.chain import Judge
from signatures.cms import JudgeFor
from signatures.levels import judged_up_to
from signatures.signer import apply_trust, failed, proven_time, with_tokens
from signatures.timestamps import JudgedToken, imprint_of, judge_token
from signatures.trust_outcome import FileEvidence
from signatures.verdict import Coverage, Indication, Integrity, Modification, Verdict
from signatures.xades import Properties, read_properties
from signatures.xml_detached import of_the_file_beside, surroundings_of
from signatures.xml_guard import (
    BASE64,
    DIGESTS,
    DS,
    ID_NAMES,
    SIGNATURES,
    XML,
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
from signatures.xml_keys import (
    as_pem,
    choose_signer,
    family_and_bits,
    public_key_of,
    read_key_info,
    unrelated,
)
from signatures.xml_scope import scope_of
from signatures.xml_surroundings import Surroundings

_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


@dataclass(frozen=True, slots=True)
class _Key:
    """The key to verify with: SubjectPublicKeyInfo, and the certificate that carries it if there is one."""

    spki: bytes
    certificate: x509.Certificate | None
    others: tuple[x509.Certificate, ...]


def verify_xml(
    data: bytes, detached: Content | None, judge_for: JudgeFor | None, blank: Verdict
) -> list[Verdict]:
    """The verdicts of an XML file; ``judge_for`` is ``None`` to judge integrity alone.

    Args:
        data: the file. detached: the file that its signatures are over, if that is another one.
        judge_for, blank: trust, and the verdict to fill in.

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
        failed(replace(blank, path=path_of(item)), "FORMAT_FAILURE", _LOOKALIKE) for item in lookalikes(root)
    ]
    if not found:
        return others or [replace(blank, indication=Indication.NO_SIGNATURE)]
    try:
        ids = identifiers(root)
    except RefusedError as error:
        return [failed(replace(blank, path=path_of(item)), "FORMAT_FAILURE", str(error)) for item in found]
    verdicts = [_beside(item, ids, detached, judge_for, replace(blank, path=path_of(item))) for item in found]
    return verdicts + others


def _beside(
    signature: etree._Element,
    ids: dict[str, etree._Element],
    detached: Content | None,
    judge_for: JudgeFor | None,
    start: Verdict,
) -> Verdict:
    try:
        around = surroundings_of(signature, detached)
    except RefusedError as error:
        return failed(start, "FORMAT_FAILURE", str(error))
    verdict = judge_signature(signature, ids, judge_for, start, around)
    return verdict if detached is None or around is not None else of_the_file_beside(verdict)


def _mentions(data: bytes, word: bytes) -> bool:
    """True when ``word`` stands in the file, in ASCII or UTF-16."""
    return word in data or word in data.replace(b"\x00", b"")


_LOOKALIKE = "an element built like a signature, outside the namespace of XML signatures"


def judge_signature(
    signature: etree._Element,
    ids: dict[str, etree._Element],
    judge_for: JudgeFor | None,
    start: Verdict,
    around: Surroundings | None = None,
) -> Verdict:
    """The verdict on one ds:Signature. Content never raises.

    Args:
        signature: the ds:Signature.
        ids: every identifier of its file (``xml_guard.identifiers``).
        judge_for: trust; ``None`` judges integrity alone.
        start: the verdict to fill in.
        around: of a signature in a container; ``None`` for a file of its own.
    """
    try:
        files, manifests = (around.files, around.manifests) if around else ((), False)
        return _judged(prepare(signature, ids, files, manifests), judge_for, start, around)
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


def _judged(
    prepared: Prepared, judge_for: JudgeFor | None, start: Verdict, around: Surroundings | None
) -> Verdict:
    properties = read_properties(prepared)
    family, digest = SIGNATURES[prepared.method]
    digests = sorted({DIGESTS[item.digest] for item in prepared.references})
    start = replace(
        start,
        claimed_time=properties.claimed_time,
        level=properties.level,
        level_evaluated=judged_up_to(properties.level),
        algorithms=(*digests, prepared.method.rpartition("#")[2]),
        coverage=Coverage.UNKNOWN if around else scope_of(prepared),
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
    if not _holds(prepared, key, around.files if around else {}):
        return _broken(prepared, key, start)
    if around is not None:
        found = around.covered(prepared)
        start = replace(
            start,
            coverage=found.coverage,
            messages=found.messages,
            claimed_time=start.claimed_time or found.claimed_time,
        )
        if found.broken:
            message = f"not what was signed: {', '.join(found.broken[:20])}"
            return failed(start, "HASH_FAILURE", message)
    start = replace(start, indication=Indication.TOTAL_PASSED, integrity=Integrity.INTACT)
    judge = judge_for(FileEvidence(key.others)) if judge_for else None
    tokens = tuple(_token(prepared, c14n, token, judge) for c14n, token in properties.tokens)
    verdict = _constrained(with_tokens(start, tokens), key, properties, in_container=around is not None)
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


def _holds(prepared: Prepared, key: _Key, files: Mapping[str, bytes]) -> bool:
    """Digests and signature value hold for the key, computed by xmlsec."""
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(as_pem(key.spki), xmlsec.constants.KeyDataFormatPem, None)
    if not prepared.element.findall(
        f".//{{{DS}}}Transform[@Algorithm='{BASE64}']"
    ):  # xmlsec has no name to enable it by
        for transform in _TRANSFORMS:
            context.enable_reference_transform(transform)
    element, moved = prepared.element, {}
    if element.find(f"{{{DS}}}Object/{{{DS}}}Manifest") is not None:
        element = _without_objects(element)
        moved = identifiers(element.getroottree().getroot())
    for reference in prepared.references:
        if reference.id:
            _register(context, moved.get(reference.id, reference.target), reference.id)
    with _only_these_files(files):
        try:
            context.verify(element)
        except xmlsec.Error:
            return False
    return True


def _without_objects(signature: etree._Element) -> etree._Element:
    """A copy whose objects stand beside it: xmlsec would judge a manifest by its own rules and tell nobody how.

    Namespaces and xml: attributes in scope stay as they were, and so does every canonical form.
    """
    beside = etree.Element(f"{{{DS}}}Beside", nsmap=signature.nsmap)
    for ancestor in (*reversed(list(signature.iterancestors())), signature):
        beside.attrib.update(
            {name: value for name, value in ancestor.attrib.items() if name.startswith(f"{{{XML}}}")}
        )
    moved = copy.deepcopy(signature)
    beside.append(moved)
    beside.extend(moved.findall(f"{{{DS}}}Object"))
    return moved


@contextmanager
def _only_these_files(files: Mapping[str, bytes]) -> Iterator[None]:
    """No reference can open a file or an address, only what the container holds: a second bar behind the strict
    reading. libxml2 keeps one table of openers a process, hence the lock.
    """
    with _OPENERS:
        xmlsec.cleanup_callbacks()
        if files:
            xmlsec.register_callbacks(
                lambda name: name.decode("utf-8", "surrogateescape") in files,
                lambda name: io.BytesIO(files[name.decode("utf-8", "surrogateescape")]),
                lambda stream, buffer: stream.readinto(buffer),
                lambda stream: stream.close(),
            )
        try:
            yield
        finally:
            xmlsec.cleanup_callbacks()


_OPENERS = threading.Lock()


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


def _constrained(verdict: Verdict, key: _Key, properties: Properties, *, in_container: bool) -> Verdict:
    """Refuse to pass what is intact and yet says something else than it should."""
    if verdict.indication is not Indication.TOTAL_PASSED:
        return verdict
    if verdict.coverage is not Coverage.WHOLE_FILE:
        said = "; ".join(verdict.messages[:1]) or "only a part of the file is signed"
        return _indeterminate(
            replace(verdict, messages=verdict.messages[1:]), "SIG_CONSTRAINTS_FAILURE", said
        )
    if key.certificate and properties.serials and properties.serials[0] != key.certificate.serial_number:
        message = "SigningCertificate names another serial number than the signing certificate's"
        return _indeterminate(verdict, "SIG_CONSTRAINTS_FAILURE", message)
    # Office suites have shown whichever certificate came last (CVE-2021-25635); XMLDSig 1.1 §4.5.4 wants one chain.
    if in_container and key.certificate is not None and unrelated(key.certificate, key.others):
        message = (
            "KeyInfo holds a certificate that is not of the signer's chain: readers may show another signer"
        )
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


def path_of(element: etree._Element) -> str:
    """Where a signature is: its Id, else its place in the tree."""
    identifier = element.get("Id")
    return f"#{identifier}" if identifier else str(element.getroottree().getpath(element))
