"""Where things are: one data folder, and what may be elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from archive.database import data_folder
from mappings.config import SourceConfig, load_sources
from schemas.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders of one installation.

    Attributes:
        home: the data folder (``LIENTHONG_HOME``); everything below it unless said otherwise.
        objects: original bytes and manifests by SHA-256.
        work: files of runs under way; emptied when a run is accounted for.
        drop: one folder a source, where exports are dropped (``LIENTHONG_DROP``).
        trust: trust anchors, intermediates and revocation lists (``LIENTHONG_TRUST``).
        sources: folders of source YAML files, later ones overriding earlier ones by source name
            (the packaged ones, then ``home``/sources, or only ``LIENTHONG_SOURCES`` where it is set).
        anchors: folders that get every anchor of the ledger: ``home``/anchors, and ``LIENTHONG_ANCHORS``, which should
            be on another machine and take new files only.
        time_stamps: URL of a time-stamping authority (``LIENTHONG_TSA_URL``), or ``""``.
    """

    home: Path
    objects: Path
    work: Path
    drop: Path
    trust: Path
    sources: tuple[Path, ...]
    anchors: tuple[Path, ...] = ()
    time_stamps: str = ""


def load_settings() -> Settings:
    """The settings that the environment gives; the data folder is made when absent."""
    environment = os.environ
    home = data_folder()
    chosen = environment.get("LIENTHONG_SOURCES")
    share = environment.get("LIENTHONG_ANCHORS", "").strip()
    packaged = Path(str(files("mappings"))) / "sources"
    return Settings(
        home=home,
        objects=home / "objects",
        work=home / "work",
        drop=Path(environment.get("LIENTHONG_DROP") or home / "drop"),
        trust=Path(environment.get("LIENTHONG_TRUST") or home / "trust"),
        sources=(Path(chosen),) if chosen else (packaged, home / "sources"),
        anchors=(home / "anchors", *((Path(share),) if share else ())),
        time_stamps=environment.get("LIENTHONG_TSA_URL", "").strip(),
    )


def configured_sources(settings: Settings) -> dict[str, SourceConfig]:
    """Every configured source by name.

    Raises:
        ConfigurationError: a YAML file is wrong; file, line and key are named.
    """
    found: dict[str, SourceConfig] = {}
    for folder in settings.sources:
        if folder.is_dir():
            found.update(load_sources(folder))
    return found


def source_config(settings: Settings, name: str) -> SourceConfig:
    """The configuration of source ``name``.

    Raises:
        ConfigurationError: there is none.
    """
    found = configured_sources(settings)
    if name not in found:
        raise ConfigurationError(
            f"no source is named {name!r}",
            where=", ".join(str(folder) for folder in settings.sources),
            expected=f"one of {', '.join(sorted(found)) or 'none configured'}",
            action="add <name>.yaml to a sources folder, or correct the name",
        )
    return found[name]
