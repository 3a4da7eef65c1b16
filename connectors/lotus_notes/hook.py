"""The Airflow connection type *Lotus Domino 8.5* and its Test button."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from connectors.hook import ServiceHook
from connectors.lotus_notes.domino import DominoSource, try_login
from schemas.errors import LienthongError
from schemas.service_config import DominoService


class DominoHook(ServiceHook):
    """Builds a ``DominoSource`` from an Airflow connection.

    Host, login and password are the connection's own; extra fields are ``auth`` and ``login_path`` (see
    ``DominoSession``), and those of ``ReadOnlySession``.
    """

    conn_type: ClassVar[str] = "domino"
    default_conn_name: ClassVar[str] = "domino_default"
    hook_name: ClassVar[str] = "Lotus Domino 8.5"

    def source(self, name: str, service: DominoService, zone: ZoneInfo) -> DominoSource:
        """The source ``name`` over the database that ``service`` describes; nothing is asked of the server yet.

        Raises:
            ConfigurationError: the connection is missing or wrong.
        """
        return DominoSource(name, service, self.get_conn(), zone)

    def test_connection(self) -> tuple[bool, str]:
        """Log in, and say in Vietnamese and English how that went; what Airflow's Test button shows."""
        try:
            said = try_login(self.get_conn())
        except LienthongError as error:
            return False, f"Chưa được / not yet: {error}"
        return True, f"Đăng nhập được / logged in: {said}"

    def test_source(self, service: DominoService, zone: ZoneInfo) -> tuple[bool, str]:
        """As ``test_connection``, and ask the export agent of the database that ``service`` describes."""
        try:
            said = self.source("test", service, zone).check()
        except LienthongError as error:
            return False, f"Chưa được / not yet: {error}"
        return True, f"Đăng nhập được, tác tử trả lời / logged in, the agent answers: {said}"
