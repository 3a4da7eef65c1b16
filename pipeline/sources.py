"""Builds the ``Source`` that a configuration describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from connectors.lotus_notes.folder import DxlFolder
from connectors.operations.folder import EdxmlFolder
from connectors.source import Source
from mappings.config import SourceConfig
from pipeline.settings import Settings
from schemas.errors import ConfigurationError

_DROP_FOLDER_READERS: Mapping[str, Callable[[str, Path], Source]] = MappingProxyType(
    {"lotus_notes": DxlFolder, "operations": EdxmlFolder}
)


def open_source(config: SourceConfig, settings: Settings, folder: Path | None = None) -> Source:
    """The source of ``config``, reading its drop folder, or ``folder`` where given.

    Raises:
        ConfigurationError: the folder does not exist.
    """
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
