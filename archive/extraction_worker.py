"""The process that reads the text of files for ``archive.extraction``: a JSON line in, a JSON line out, for each file.

Its memory is limited, because what it opens comes from outside; whoever started it limits its time.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from mappings.file_text import file_text
from schemas.record import FileContent

MEMORY = 3 * 1024**3
"""Bytes of address space."""


def main() -> None:
    """Read until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        read = file_text(FileContent(Path(json.loads(line))))
        sys.stdout.write(json.dumps(asdict(read)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
