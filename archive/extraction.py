"""Reading the text of stored files, in a process that may crash or hang without harm."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from mappings.file_text import ENGINE, FileText, TextOutcome
from schemas.record import Content, FileContent

SECONDS = 120.0
"""How long one file may take; the readers themselves stop at half of it."""


class Extractor:
    """Reads files one after the other in a process of its own, which is started when it is needed.

    Args:
        seconds: after which a file is given up, and its process killed.
        command: what is started; another one only in tests.
    """

    def __init__(self, seconds: float = SECONDS, command: tuple[str, ...] | None = None) -> None:
        self._seconds = seconds
        self._command = command or (sys.executable, "-m", "archive.extraction_worker")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, content: Content) -> FileText:
        """The text of ``content``. A reader that crashed leaves ``damaged``, one that hung ``too_large``."""
        with _as_file(content) as path:
            return self._ask(path)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):  # what was written last never reached it
                        stream.close()
            process.wait()

    def _ask(self, path: Path) -> FileText:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(str(path)).encode() + b"\n")
            process.stdin.flush()
            # A worker writes its answer in one piece, so that whoever sees its beginning may wait for its end.
            ready, _, _ = select.select([process.stdout], [], [], self._seconds)
            answer = process.stdout.readline() if ready else None
        except BrokenPipeError:
            answer = b""
        if answer is None:
            self.close()
            message = f"its reader did not end within {self._seconds:g} seconds"
            return FileText(TextOutcome.TOO_LARGE, "", cut="time", message=message)
        if not answer.endswith(b"\n"):
            code = process.wait()
            self.close()
            return FileText(
                TextOutcome.DAMAGED, "", message=f"its reader crashed (exit status {code})", engine=ENGINE
            )
        fields = json.loads(answer)
        return FileText(**{**fields, "outcome": TextOutcome(fields["outcome"])})

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for whoever started us, and a file under way is no loss
            )
        return self._process


@contextmanager
def _as_file(content: Content) -> Iterator[Path]:
    """The path of ``content``, copied to a temporary file where it is none itself."""
    if isinstance(content, FileContent):
        yield content.path
        return
    with tempfile.NamedTemporaryFile(prefix="lienthong-text-") as copy:
        with content.open() as stream:
            shutil.copyfileobj(stream, copy)
        copy.flush()
        yield Path(copy.name)
