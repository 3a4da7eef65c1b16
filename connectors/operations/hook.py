"""The Airflow connection type *Trục liên thông văn bản (edXML)* and its Test button."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from connectors.hook import ServiceHook
from connectors.operations.exchange.opening import open_mailbox
from connectors.operations.exchange.source import ExchangeMailbox
from schemas.errors import LienthongError
from schemas.exchange_config import ExchangeService


class ExchangeHook(ServiceHook):
    """Builds an ``ExchangeMailbox`` from an Airflow connection.

    Host, login and password are the connection's own. Extra fields are ``dialect`` (a key of ``DIALECTS``), what that
    dialect needs, and those of ``ReadOnlySession``.
    """

    conn_type: ClassVar[str] = "edoc_exchange"
    default_conn_name: ClassVar[str] = "edoc_exchange_default"
    hook_name: ClassVar[str] = "Trục liên thông văn bản (edXML)"

    def source(self, name: str, service: ExchangeService, zone: ZoneInfo) -> ExchangeMailbox:
        """The source ``name`` over the mailbox that ``service`` describes; nothing is asked of the service yet.

        Raises:
            ConfigurationError: the connection is missing or wrong.
        """
        return open_mailbox(name, self.get_conn(), service, zone)

    def test_connection(self) -> tuple[bool, str]:
        """``test_source`` with the dialect's own paths; what Airflow's Test button shows.

        A site with paths of its own is tried by ``lienthong doctor``, which knows the source's YAML.
        """
        return self.test_source(ExchangeService(kind="exchange"), ZoneInfo("Asia/Ho_Chi_Minh"))

    def test_source(self, service: ExchangeService, zone: ZoneInfo) -> tuple[bool, str]:
        """Ask for the list of organs, which changes nothing, and say in Vietnamese and English how that went."""
        try:
            mailbox = self.source("test", service, zone)
            known = sum(1 for _ in mailbox.dialect.agencies())
        except LienthongError as error:
            return False, f"Chưa được / not yet: {error}"
        skew = mailbox.dialect.clock_skew()
        clocks = f"; đồng hồ lệch / clocks differ by {skew:+.0f} s" if skew else ""
        return True, f"Kết nối được / connected: {known} đơn vị / organs{clocks}"
