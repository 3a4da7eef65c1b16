"""Who is acting: the account of the system, for the ledger."""

from __future__ import annotations

import os
import pwd


def acting_account() -> str:
    """The account's name; behind ``sudo`` the one that called it, and ``uid <n>`` where none has that number."""
    if os.geteuid() == 0 and (caller := os.environ.get("SUDO_USER", "").strip()):
        return caller
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
