"""Everything about the archive that has a figure: one entry, one subcommand for each thing measured.

    python -m benchmarks.archive <subcommand> [--json] [options]

A subcommand is a module ``benchmarks/archive_<name>.py`` with ``register(subparsers)``, which adds its parser and sets
``run`` to a function of the parsed options; ``--json`` prints one object.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import cast


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen subcommand; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.archive",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(metavar="subcommand", required=True)
    for module in sorted(Path(__file__).parent.glob("archive_*.py")):
        importlib.import_module(f"benchmarks.{module.stem}").register(subparsers)
    options = parser.parse_args(arguments)
    return cast(int, options.run(options) or 0)


if __name__ == "__main__":
    raise SystemExit(main())
