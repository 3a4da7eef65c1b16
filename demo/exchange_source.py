"""The source that reads the simulated exchange: the drop folder's configuration, with a service instead."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from mappings.config import SOURCES_FOLDER

SOURCE = "truc_lien_thong"
CONNECTION = "edoc_truc_lien_thong"


def exchange_yaml(service: Mapping[str, object] | None = None) -> str:
    """The YAML file; ``service`` adds to, or replaces, what its block says."""
    settings = yaml.safe_load((SOURCES_FOLDER / "dieu_hanh.yaml").read_text(encoding="utf-8"))
    settings.pop("folder")
    settings |= {
        "source": SOURCE,
        "title": "Văn bản trên trục liên thông",
        "connection": CONNECTION,
        "pool": SOURCE,
        "schedule": {**settings["schedule"], "cron": "30 2 * * *"},
        "service": {
            "kind": "exchange",
            "first_day": "2025-01-01",
            "politeness": {"requests_per_second": 200},
            **(service or {}),
        },
    }
    return yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
