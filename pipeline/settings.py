"""Where things are: one data folder, and what may be elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from archive.database import data_folder
from mappings.config import SourceConfig, load_sources
from schemas.errors import ConfigurationError

KEYRING_VARIABLE = "LIENTHONG_KEYRING"


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders of one installation.

    Attributes:
        home: the data folder (``LIENTHONG_HOME``); everything below it unless said otherwise.
        objects: where original bytes and manifests are, by SHA-256: a folder, or ``s3://bucket/prefix``
            (``LIENTHONG_OBJECTS``).
        keyring: file of the key ring that objects are encrypted with (``LIENTHONG_KEYRING``, or the one of
            ``default_keyring`` if it is there); ``None``: they are not encrypted.
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
    objects: str
    keyring: Path | None
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
        objects=environment.get("LIENTHONG_OBJECTS", "").strip() or str(home / "objects"),
        keyring=_keyring(),
        work=home / "work",
        drop=Path(environment.get("LIENTHONG_DROP") or home / "drop"),
        trust=Path(environment.get("LIENTHONG_TRUST") or home / "trust"),
        sources=(Path(chosen),) if chosen else (packaged, home / "sources"),
        anchors=(home / "anchors", *((Path(share),) if share else ())),
        time_stamps=environment.get("LIENTHONG_TSA_URL", "").strip(),
    )


def default_keyring() -> Path:
    """Where the key ring is unless ``LIENTHONG_KEYRING`` says otherwise: with the account's configuration, never with
    the data that it opens.

    ``/etc/lienthong/keyring.json`` as root, else ``$XDG_CONFIG_HOME/lienthong/keyring.json``, which is
    ``~/.config/lienthong/keyring.json`` by default (XDG Base Directory Specification 0.8).
    """
    if os.geteuid() == 0:
        return Path("/etc/lienthong/keyring.json")
    config = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (config if config.is_absolute() else Path.home() / ".config") / "lienthong" / "keyring.json"


def chosen_keyring() -> Path:
    """Where the key ring is, or is to be."""
    given = os.environ.get(KEYRING_VARIABLE, "").strip()
    return Path(given).expanduser() if given else default_keyring()


def _keyring() -> Path | None:
    # One that was named and is missing must be an error where it is opened, not the end of encryption.
    chosen = chosen_keyring()
    return chosen if os.environ.get(KEYRING_VARIABLE, "").strip() or chosen.exists() else None


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
