"""Builds the ``Source`` that a configuration describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from connectors.lotus_notes.folder import DxlFolder
from connectors.operations.folder import EdxmlFolder
from connectors.source import Source
from mappings.config import SourceConfig
from pipeline.settings import Settings
from schemas.errors import ConfigurationError
from schemas.exchange_config import ExchangeService
from schemas.service_config import DominoService

_DROP_FOLDER_READERS: Mapping[str, Callable[[str, Path], Source]] = MappingProxyType(
    {"lotus_notes": DxlFolder, "operations": EdxmlFolder}
)


def open_source(config: SourceConfig, settings: Settings, folder: Path | None = None) -> Source:
    """The source of ``config``: ``folder`` where given, else its live service, else its drop folder.

    Raises:
        ConfigurationError: the folder, or the connection to the service, does not exist.
    """
    if folder is None and config.service is not None:
        return _SERVICE_OPENERS[config.service.kind](config)
    place = folder or drop_folder(config, settings)
    if not place.exists():
        raise ConfigurationError(
            f"the drop folder of source {config.source} does not exist",
            where=str(place),
            expected="a folder, a ZIP or a single export file",
            action=f"create it and put exports there, or run: lienthong sync {config.source} --folder PATH",
        )
    return _DROP_FOLDER_READERS[config.system](config.source, place)


def drop_folder(config: SourceConfig, settings: Settings) -> Path:
    """Where exports of ``config``'s source are dropped."""
    return settings.drop / (config.folder or config.source)


def try_service(config: SourceConfig) -> tuple[bool, str]:
    """Ask the live service of ``config`` for something small: whether that went well, and what to tell of it."""
    from connectors.lotus_notes.hook import DominoHook
    from connectors.operations.hook import ExchangeHook

    match config.service:
        case DominoService():
            hook = DominoHook(config.connection)
            return hook.test_source(config.service, ZoneInfo(config.schedule.timezone))
        case ExchangeService():
            exchange = ExchangeHook(config.connection)
            return exchange.test_source(config.service, ZoneInfo(config.schedule.timezone))
        case None:
            return False, f"source {config.source} reads no live service"


def _open_domino(config: SourceConfig) -> Source:
    # Imported here, with Airflow behind it: a command that reads no live service starts without them.
    from connectors.lotus_notes.hook import DominoHook

    assert isinstance(config.service, DominoService)
    return DominoHook(config.connection).source(
        config.source, config.service, ZoneInfo(config.schedule.timezone)
    )


def _open_exchange(config: SourceConfig) -> Source:
    from connectors.operations.hook import ExchangeHook

    assert isinstance(config.service, ExchangeService)
    return ExchangeHook(config.connection).source(
        config.source, config.service, ZoneInfo(config.schedule.timezone)
    )


_SERVICE_OPENERS: Mapping[str, Callable[[SourceConfig], Source]] = MappingProxyType(
    {"domino": _open_domino, "exchange": _open_exchange}
)
