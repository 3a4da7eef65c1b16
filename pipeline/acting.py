"""Who is acting: the account of the system, for the ledger."""

from __future__ import annotations

import os
import pwd


def acting_account() -> str:
    """The account's name; behind ``sudo`` the one that called it, and ``uid <n>`` where none has that number.

    An archive often has an account of its own, under which people run it by ``sudo -u``. Who could lie here holds that
    account already.
    """
    uid = str(os.geteuid())
    caller = os.environ.get("SUDO_USER", "").strip()
    if caller and os.environ.get("SUDO_UID", uid if uid != "0" else "") != uid:
        return caller
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
