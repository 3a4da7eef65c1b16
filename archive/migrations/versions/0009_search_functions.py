"""The functions through which people search: they ask for the classes of access, which came after the tables."""

from __future__ import annotations

from alembic import op

from archive.migrations.search_functions import FUNCTIONS

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make them."""
    for function in FUNCTIONS:
        op.execute(function)
