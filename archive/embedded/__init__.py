"""A private PostgreSQL server on this machine: reached through a socket that only its owner can open."""

from __future__ import annotations

from archive.embedded.server import EmbeddedServer, ServerStatus

__all__ = ["EmbeddedServer", "ServerStatus"]
