"""What every command that decides something asks for: who, and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypedDict

import sqlalchemy as sa
import typer

from archive.access_roles import personal_login
from pipeline.acting import acting_account
from schemas.errors import ConfigurationError

Why = Annotated[str, typer.Option(help="Lý do / the reason")]
By = Annotated[str, typer.Option(help="Người quyết định / who decides (mặc định: tài khoản)")]
AsJson = Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")]


class Deciding(TypedDict):
    """Who decides and why, as the makers of decisions take it."""

    by: str
    account: str
    why: str


def deciding(by: str, why: str, engine: sa.Engine | None = None) -> Deciding:
    """The person's name, or the account's where none is given; the account itself; the reason.

    With ``engine`` the account is its login where that is one person's own: the database knows that one itself.
    """
    account = (personal_login(engine) if engine else None) or acting_account()
    return {"by": by.strip() or account, "account": account, "why": why}


def chosen_day(text: str | None) -> date | None:
    """A day given as ``2025-12-31``; ``None`` for none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no day", expected="such as 2025-12-31") from None
