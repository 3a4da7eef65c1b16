"""The command line that the simulators of exchange services share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from demo.exchange_mailbox import ExchangeFolder, gathered
from demo.exchange_messages import messages
from demo.simulated_service import HttpService


def serve(
    program: str,
    description: str,
    build: Callable[[Path, int], HttpService],
    arguments: Sequence[str] | None = None,
) -> int:
    """Serve a folder of messages until told to stop."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("folder", type=Path, help="holds the messages and their list")
    parser.add_argument("--port", type=int, default=0)
    filled = parser.add_mutually_exclusive_group()
    filled.add_argument("--packages", type=Path, help="fill the folder with the packages of this drop folder")
    filled.add_argument("--made-up", action="store_true", help="fill it with messages of the made-up office")
    options = parser.parse_args(arguments)
    mailbox = ExchangeFolder(options.folder)
    if options.made_up:
        mailbox.write(messages())
    elif options.packages:
        mailbox.write(gathered(options.packages))
    server = build(options.folder, options.port)
    print(f"{server.url}  ({len(mailbox.messages())} messages)", flush=True)
    server.serve_forever()
    return 0
