"""What the commands that hand something over have in common: who, whose, and what may leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
import typer

from archive.access_roles import Role
from archive.handover.leaving import Handover, Who
from archive.handover.package_content import Holder
from archive.handover.selection import readable_classes, readable_dossiers
from archive.holdings import DossierView, dossier, dossier_list
from pipeline.access_accounts import open_for
from pipeline.acting import acting_account
from pipeline.commands.output import Output
from pipeline.settings import Settings, configured_sources
from schemas.errors import ConfigurationError

Organ = Annotated[str | None, typer.Option(help="Tên cơ quan giao / the organ (mặc định: theo nguồn)")]
Personal = Annotated[
    bool,
    typer.Option("--personal", help="Cả tài liệu cá nhân; cần quyền văn thư / personal ones too, as a clerk"),
]
_PAGE = 500


@dataclass(frozen=True, slots=True)
class MayLeave:
    """What the person may take out, as a reader or as a clerk.

    Attributes:
        classes: of access; never what is sealed.
        dossiers: identities of those that may be named.
    """

    classes: frozenset[str]
    dossiers: frozenset[str]


def may_leave(settings: Settings, personal: bool, recalled: bool) -> MayLeave:
    """What the person may take out: as a clerk where ``personal``, else as a reader; ``recalled`` asks for a clerk too.

    Raises:
        ConfigurationError: the login may not work under that role.
    """
    if recalled:
        open_for(settings, Role.CLERK).engine.dispose()
    stores = open_for(settings, Role.CLERK if personal else Role.READER)
    try:
        return MayLeave(readable_classes(stores.engine) - {"sealed"}, readable_dossiers(stores.engine))
    finally:
        stores.engine.dispose()


def who(by: str, why: str) -> Who:
    """The person's name, or the account's where none is given; the account itself; the reason."""
    account = acting_account()
    return Who(by.strip() or account, account, why)


def office(settings: Settings, organ: str | None, sources: list[str]) -> Holder:
    """The organ that hands over: as given, else that of the first of ``sources`` that is configured.

    Raises:
        ConfigurationError: nobody says which.
    """
    if organ:
        return Holder(organ)
    configured = configured_sources(settings)
    for source in sources:
        if source in configured:
            return Holder(configured[source].organ.name, configured[source].organ.organ_id)
    raise ConfigurationError(
        "nobody says which organ hands over",
        where=", ".join(sources) or "no source",
        expected="a configured source, or --organ",
        action="name it with --organ",
    )


def chosen_dossiers(engine: sa.Engine, named: list[str], fonds: str | None) -> list[DossierView]:
    """The dossiers that are named, and all of ``fonds``, each with its documents, once."""
    found = {view.id: view for view in (dossier(engine, what) for what in named)}
    for listed in listed_dossiers(engine, fonds) if fonds else ():
        if listed.id not in found:
            found[listed.id] = dossier(engine, listed.id)
    return list(found.values())


def listed_dossiers(engine: sa.Engine, fonds: str | None, source: str | None = None) -> list[DossierView]:
    """All dossiers of ``fonds`` and ``source``, without their documents."""
    found: list[DossierView] = []
    while page := dossier_list(engine, fonds=fonds, source=source, limit=_PAGE, start=len(found)):
        found += page
    return found


def tell_left_out(output: Output, handover: Handover) -> None:
    """Print what was left out and why, and what should be known."""
    for reason, count in handover.left_out.items():
        output.line(output.words("left_out", count=count, reason=output.words(f"left_out_{reason}")))
    for code, count in sorted(handover.notices.items()):
        if count:
            output.line(output.words("notice", count=count, what=output.words(f"notice_{code}")))
