"""Lengths that the standards set, in characters. They are stated, not enforced: a longer value is kept and
flagged.

Where standards differ the longer limit of those in force is taken, so that a flag always means a real excess.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Limit(NamedTuple):
    """A field's greatest length in characters and who sets it."""

    length: int
    source: str


LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "number": Limit(11, "NĐ30 Phụ lục VI; QCVN 102:2016 CodeNumber"),
        "notation": Limit(30, "NĐ30 Phụ lục VI; QCVN 102:2016 CodeNotation"),
        "issued_place": Limit(50, "QCVN 102:2016 Place"),
        "issuer.name": Limit(200, "NĐ30 Phụ lục VI OrganName"),
        "issuer.organ_id": Limit(35, "QCVN 102:2016/SĐ1:2022 OrganId"),
        "issuer.in_charge": Limit(200, "QCVN 102:2016 OrganizationInCharge"),
        "issuer.address": Limit(250, "QCVN 102:2016 OrganAdd"),
        "issuer.email": Limit(100, "QCVN 102:2016 Email"),
        "issuer.telephone": Limit(20, "QCVN 102:2016 Telephone"),
        "issuer.fax": Limit(20, "QCVN 102:2016 Fax"),
        "issuer.website": Limit(100, "QCVN 102:2016 Website"),
        "recipients.name": Limit(200, "NĐ30 Phụ lục VI To"),
        "recipients.organ_id": Limit(35, "QCVN 102:2016/SĐ1:2022 OrganId"),
        "recipients.in_charge": Limit(200, "QCVN 102:2016 OrganizationInCharge"),
        "recipients.address": Limit(250, "QCVN 102:2016 OrganAdd"),
        "recipients.email": Limit(100, "QCVN 102:2016 Email"),
        "recipients.telephone": Limit(20, "QCVN 102:2016 Telephone"),
        "recipients.fax": Limit(20, "QCVN 102:2016 Fax"),
        "recipients.website": Limit(100, "QCVN 102:2016 Website"),
        "type_name": Limit(100, "NĐ30 Phụ lục VI TypeName"),
        "subject": Limit(500, "NĐ30 Phụ lục VI Subject"),
        "abstract": Limit(500, "QCVN 102:2016 Content"),
        "language": Limit(30, "NĐ30 Phụ lục VI Language"),
        "signers.full_name": Limit(50, "NĐ30 Phụ lục VI SignerInfo"),
        "signers.position": Limit(100, "NĐ30 Phụ lục VI SignerInfo"),
        "signers.competence": Limit(100, "QCVN 102:2016 Competence"),
        "use_regime": Limit(100, "QCVN 102:2016 SphereOfPromulgation"),
        "arrival_number": Limit(10, "NĐ30 Phụ lục VI ArrivalNumber"),
        "to_places": Limit(150, "QCVN 102:2016 ToPlaces/Place"),
        "typer_notation": Limit(10, "QCVN 102:2016 TyperNotation"),
        "appendixes": Limit(250, "QCVN 102:2016 Appendix"),
        "keywords": Limit(100, "TT 05/2025/TT-BNV keyword"),
        "autograph": Limit(2000, "TT 05/2025/TT-BNV autograph"),
        "note": Limit(500, "NĐ30 Phụ lục VI Description"),
        "file_title": Limit(1000, "TT 05/2025/TT-BNV title"),
        "attachments.name": Limit(200, "QCVN 102:2016 AttachmentName"),
    }
)
