"""Which role the account that runs a command works under: on one machine by ``access.yaml``, else by the database.

``access.yaml`` in the data folder says it by account::

    accounts: {vanthu1: clerk, lan: reader, kiemtra: auditor}
    others: none        # or reader

Without the file, on the embedded server, the account that the data folder belongs to (and root) keeps the archive and
everybody else may read. Without it, on a server of the office's own, the login's memberships alone decide. With it, an
account has what the file says and no more than its login has. Whoever holds the account of the data folder, or a login
with the owner's role, can pass all of this: it orders the work, the database's roles are the protection.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive.access_roles import Role
from archive.database import URL_VARIABLE
from mappings.config_checks import first_error
from mappings.yaml_reader import read_yaml
from pipeline.acting import acting_account
from pipeline.settings import Settings
from pipeline.stages import Stores, open_stores
from schemas.errors import ConfigurationError

FILE = "access.yaml"


class Duty(StrEnum):
    """What an account is to the archive."""

    READER = "reader"  # người đọc
    CLERK = "clerk"  # văn thư, lưu trữ
    AUDITOR = "auditor"  # người kiểm tra
    KEEPER = "keeper"  # người giữ kho: also what is sealed


ROLES: Mapping[Duty, tuple[Role, ...]] = MappingProxyType(
    {
        Duty.READER: (Role.READER,),
        Duty.CLERK: (Role.CLERK, Role.READER),
        Duty.AUDITOR: (Role.AUDITOR,),
        Duty.KEEPER: (Role.CLERK, Role.READER, Role.AUDITOR, Role.OWNER),
    }
)
"""The roles of each duty, the one that reads most in the daily work first."""


class AccessAccounts(BaseModel):
    """The content of ``access.yaml``.

    Attributes:
        accounts: name of an account of this machine to its duty.
        others: the duty of every other account: ``reader``, or ``none``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: Mapping[str, Duty] = Field(default_factory=dict)
    others: Literal["none", Duty.READER] = "none"


def open_for_reading(settings: Settings) -> Stores:
    """The stores under the role that lets the acting account read most in the daily work.

    Raises:
        ConfigurationError: the account may not read, or its login has no role.
    """
    readers = [role for role in allowed_roles(settings) if role in (Role.CLERK, Role.READER)]
    if not readers:
        raise _refused(settings, Role.READER)
    return open_stores(settings, *readers)


def open_for(settings: Settings, role: Role) -> Stores:
    """The stores under ``role``.

    Raises:
        ConfigurationError: the acting account may not work under it.
    """
    if role not in allowed_roles(settings):
        raise _refused(settings, role)
    return open_stores(settings, role)


def allowed_roles(settings: Settings) -> tuple[Role, ...]:
    """The roles of the acting account, the one that reads most in the daily work first."""
    given = load_accounts(settings.home / FILE)
    account = acting_account()
    if given is not None:
        duty = given.accounts.get(account, given.others)
        return () if duty == "none" else ROLES[duty]
    if os.environ.get(URL_VARIABLE, "").strip() or _keeps(settings.home, account):
        return ROLES[Duty.KEEPER]
    return ROLES[Duty.READER]


def load_accounts(path: Path) -> AccessAccounts | None:
    """The file's content; ``None`` when there is no file.

    Raises:
        ConfigurationError: naming file, line and key of what is wrong.
    """
    if not path.is_file():
        return None
    marked = read_yaml(path)
    try:
        return AccessAccounts.model_validate(marked.data or {})
    except ValidationError as error:
        raise first_error(error, path, marked, tuple(AccessAccounts.model_fields)) from error


def _keeps(home: Path, account: str) -> bool:
    try:
        return account == "root" or home.owner() == account
    except KeyError:  # the owner's number has no name
        return home.stat().st_uid == os.geteuid()


def _refused(settings: Settings, role: Role) -> ConfigurationError:
    return ConfigurationError(
        f"the account {acting_account()!r} may not work as {role}",
        where=str(settings.home / FILE),
        expected=f"a duty with that role: {', '.join(duty for duty in Duty if role in ROLES[duty])}",
        action="have whoever keeps the archive enter the account there",
    )
