"""Seals an edXML message: an enveloped XML signature as the last child of its header."""

from __future__ import annotations

import xmlsec
from cryptography.hazmat.primitives import serialization
from lxml import etree
from xmlsec import constants

from connectors.operations.writer import NAMESPACE
from demo.pki import Credential


def seal_message(message: bytes, credential: Credential) -> bytes:
    """``message`` with ``ds:Signature`` (RSA-SHA256, exclusive C14N) over all of it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root = etree.fromstring(message, parser)
    header = root.find(f".//{{{NAMESPACE}}}edXMLHeader")
    signature = xmlsec.template.create(
        root, constants.TransformExclC14N, constants.TransformRsaSha256, ns="ds"
    )
    header.append(signature)
    reference = xmlsec.template.add_reference(signature, constants.TransformSha256, uri="")
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, constants.TransformExclC14N)
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    context.key = _key(credential)
    context.sign(signature)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _key(credential: Credential) -> xmlsec.Key:
    pem = credential.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = xmlsec.Key.from_memory(pem, constants.KeyDataFormatPem)
    for certificate in (credential.certificate, *credential.chain[:-1]):
        key.load_cert_from_memory(
            certificate.public_bytes(serialization.Encoding.PEM), constants.KeyDataFormatCertPem
        )
    return key
