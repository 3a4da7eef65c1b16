"""A time-stamping authority on localhost: RFC 3161 over HTTP (§3.4), answered by the office's own unit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from asn1crypto import tsp

from archive.anchor_tokens import TimeStampReply
from demo.pki import Credential
from demo.time_stamps import HouseTimeStamper


class TsaServer:
    """Answers time-stamp queries while it is open.

    Args:
        unit: certificate and key that sign.
        clock: the moment that is stamped.
        refuses: answer every query with a rejection.
    """

    def __init__(
        self,
        unit: Credential,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        refuses: bool = False,
    ) -> None:
        self.asked = 0
        self._unit = unit
        self._clock = clock
        self._refuses = refuses
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/tsa"

    def __enter__(self) -> TsaServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, query: bytes) -> bytes:
        """The reply to a ``TimeStampReq``, both in DER."""
        self.asked += 1
        if self._refuses:
            refused = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {"bad_request"}})
            return cast(bytes, TimeStampReply({"status": refused}).dump())
        request = tsp.TimeStampReq.load(query)
        stamper = HouseTimeStamper(self._unit, self._clock())
        return cast(bytes, asyncio.run(stamper.async_request_tsa_response(request)).dump())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                reply = server.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler
