"""The process that reads the text of files for ``archive.extraction``: a JSON line in, a JSON line out, for each file.

Its memory is limited, because what it opens comes from outside; whoever started it limits its time. The lines go
through descriptors that no library knows: what one prints goes to standard error, what one asks for is not there.
"""

from __future__ import annotations

import json
import os
import resource
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from mappings.file_text import file_text
from schemas.record import FileContent

MEMORY = 3 * 1024**3
"""Bytes of address space."""


def main() -> None:
    """Read until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions, answers = _own_descriptors()
    with questions, answers:
        for line in questions:
            read = file_text(FileContent(Path(json.loads(line))))
            answers.write(json.dumps(asdict(read)).encode() + b"\n")
            answers.flush()


def _own_descriptors() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, moved away: in their places are nothing, and standard error."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return questions, answers


if __name__ == "__main__":
    main()
