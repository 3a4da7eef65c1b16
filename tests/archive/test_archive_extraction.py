"""A reader that crashes or hangs takes nobody with it."""

from __future__ import annotations

import sys
from pathlib import Path

from archive.extraction import Extractor
from mappings.file_text import TextOutcome
from schemas.record import BytesContent, FileContent

CRASHES = (sys.executable, "-c", "import os; input(); os.abort()")
TALKS = (
    sys.executable,
    "-c",
    """
import os, sys
from archive import extraction_worker as worker
reads = worker.file_text
def talks(content):
    print('{"outcome": "text", "text": "not this"}', flush=True)
    os.write(1, b"nor this\\n")
    os.system("echo nor this; cat")
    return reads(content)
worker.file_text = talks
worker.main()
""",
)
HANGS = (sys.executable, "-c", "import time; input(); time.sleep(60)")


def test_files_are_read_one_after_the_other_by_one_process(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Đê điều\nhai", encoding="utf-8")
    with Extractor() as extractor:
        assert extractor.read(FileContent(path)).text == "Đê điều\nhai"
        process = extractor._process
        assert extractor.read(BytesContent(b"ba")).text == "ba"
        assert extractor._process is process
    assert process is not None
    assert process.poll() is not None


def test_a_crash_is_the_outcome_of_one_file() -> None:
    with Extractor(command=CRASHES) as extractor:
        for _ in range(2):
            found = extractor.read(BytesContent(b"x"))
            assert (found.outcome, found.text) == (TextOutcome.DAMAGED, "")
            assert "crashed" in found.message


def test_a_hang_is_given_up() -> None:
    with Extractor(seconds=0.2, command=HANGS) as extractor:
        found = extractor.read(BytesContent(b"x"))
    assert (found.outcome, found.cut) == (TextOutcome.TOO_LARGE, "time")


def test_a_reader_that_prints_or_asks_does_not_answer_for_the_worker() -> None:
    with Extractor(command=TALKS) as extractor:
        for text in ("một", "hai"):
            assert extractor.read(BytesContent(text.encode())).text == text
