"""The configuration of one source: one YAML file in ``mappings/sources/``, checked when it is loaded.

Imported whenever Airflow parses its DAGs: nothing heavy may be imported here. The JSON schema for editors is
``schemas/source.schema.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from mappings.config_checks import first_error, problems
from mappings.office_settings import Numbering, OrganSettings, Schedule, StrictSettings, TermOfOffice
from mappings.transforms import TRANSFORMS
from mappings.yaml_reader import KeyPath, MarkedYaml, dotted, read_yaml
from schemas.access import AccessClass
from schemas.document import Direction, RecordKind
from schemas.errors import ConfigurationError
from schemas.exchange_config import ExchangeFields, ExchangeService
from schemas.service_config import (
    AttachmentLimits,
    DominoService,
    OfficeHours,
    Politeness,
    ViewColumns,
)

SOURCES_FOLDER = Path(__file__).parent / "sources"
"""The sources that come with this version."""

SERVICES: Mapping[str, str] = MappingProxyType({"domino": "lotus_notes", "exchange": "operations"})
"""Kind of a live service to the system whose records it holds."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=60)]
Level = Literal["mat", "toi_mat", "tuyet_mat"]


class SecrecyField(StrictSettings):
    """A classification field of this source, beside those found by name.

    Attributes:
        path: where it is.
        values: value (compared folded) to level, or to ``none`` for one that says "not secret". Any other
            value withholds.
    """

    path: str
    values: Mapping[str, Level | Literal["none"]] = Field(default_factory=dict)


class SecrecySettings(StrictSettings):
    """What the gate looks at in addition to its own rules, which are always on.

    Attributes:
        fields: classification fields that their names do not tell.
        series: shell pattern of a symbol or notation (compared folded) to level, where the office numbers secret
            documents in a series of their own.
    """

    fields: tuple[SecrecyField, ...] = ()
    series: Mapping[str, Level] = Field(default_factory=dict)


class Condition(StrictSettings):
    """Which records (or groups) a rule is for; all that is named must hold.

    Attributes:
        form: the record's form is one of these (case ignored).
        kind: the connector says ``document`` or ``status``.
        equals: a field has one of these values.
        present: these fields hold something.
        absent: these fields are missing or empty.
    """

    form: tuple[str, ...] = ()
    kind: Literal["document", "status"] | None = None
    equals: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @field_validator("form", "present", "absent", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("equals", mode="before")
    @classmethod
    def _values(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: item if isinstance(item, list | tuple) else (item,) for key, item in value.items()}


StatedAccess = Literal[AccessClass.OPEN, AccessClass.CONDITIONAL, AccessClass.PERSONAL]


class AccessRule(StrictSettings):
    """Records of a source that are of another class of access than its others.

    Attributes:
        when: for which records; with ``subject`` both must hold.
        subject: words of which one stands in the subject (compared folded, whole syllables): ``khiếu nại``.
        access: their class.
    """

    when: Condition | None = None
    subject: tuple[str, ...] = ()
    access: StatedAccess

    @field_validator("subject", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _of_something(self) -> AccessRule:
        if self.when is None and not self.subject:
            raise ValueError("the rule is for every record; say so with `default`")
        return self


class AccessSettings(StrictSettings):
    """Who may read the records of this source; of all that applies to a record, the strictest counts.

    In YAML a class alone (``access: personal``) is ``default``.

    Attributes:
        default: class of every record: ``open``, ``conditional``, or ``personal`` (petitions, personnel).
        rules: records that are of a stricter class.
    """

    default: StatedAccess = AccessClass.OPEN
    rules: tuple[AccessRule, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: object) -> object:
        return {"default": data} if isinstance(data, str) else data


class EachRule(StrictSettings):
    """One group of a repeated shared field for every source field at ``path``.

    Attributes:
        path: a structured field (its parts are reached by their names), a list field (each member is ``.``),
            or ``.`` for the record itself, once.
        when: only if this holds for the record.
        fields: parts of the group.
    """

    path: str
    when: Condition | None = None
    fields: Mapping[str, FieldRule]


class FieldRule(StrictSettings):
    """How one shared field is filled. In YAML a plain text is ``from``, a list is ``from`` with alternatives.

    Attributes:
        from_: source paths; the first that holds something is taken. In a group ``.`` is the member itself.
        transform: a name of ``mappings.transforms.TRANSFORMS``; the shared field's own by default.
        required: without a value the record cannot be normalised.
        default: value as printed, when the source has none.
        value: a constant.
        each: for repeated fields.
    """

    from_: tuple[str, ...] = Field(default=(), alias="from")
    transform: str | None = None
    required: bool = False
    default: str | None = None
    value: str | None = None
    each: tuple[EachRule, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: object) -> object:
        if isinstance(data, str):
            return {"from": (data,)}
        if isinstance(data, list | tuple):
            return {"from": data}
        if isinstance(data, dict):
            data = dict(data)
            if isinstance(data.get("from"), str):
                data["from"] = (data["from"],)
            if isinstance(data.get("each"), dict):
                data["each"] = (data["each"],)
        return data

    @field_validator("transform")
    @classmethod
    def _known_transform(cls, value: str | None) -> str | None:
        if value is not None and value not in TRANSFORMS:
            raise ValueError(f"unknown transform {value!r}; expected one of {', '.join(sorted(TRANSFORMS))}")
        return value


class RecordRule(StrictSettings):
    """What one class of records means.

    Attributes:
        when: for which records; a rule without it is for all.
        kind: what such a record is.
        direction: đến, đi, nội bộ; ``auto`` compares the issuer's code with the office's own.
        type_name: tên loại, when the record names none.
        fields: shared field to rule. Parts of the issuer are ``issuer.name`` and so on.
        require_any: of each of these sets of shared fields at least one must have a value.
        ignore: source fields (shell patterns) that are not even kept in ``extra``.
    """

    when: Condition | None = None
    kind: RecordKind
    direction: Direction | Literal["auto"] = Direction.UNKNOWN
    type_name: str | None = None
    fields: Mapping[str, FieldRule] = Field(default_factory=dict)
    require_any: tuple[tuple[str, ...], ...] = ()
    ignore: tuple[str, ...] = ()


class SourceConfig(StrictSettings):
    """One source.

    Attributes:
        source: its name, ``[a-z0-9_]+``. title: for people, in Vietnamese. system: which connector reads it.
        connection: Airflow connection id. folder: default drop folder, relative to the data folder's
            ``drop/``.
        service: the live system that is read; without one, the drop folder is.
        schedule, batch_size, pool, pool_slots: how it is run.
        organ, numbering: whose documents, and how that office numbers.
        secrecy: additions to the secrecy gate.
        access: who may read the records, beside what each says of its own regime of use.
        ignore: source fields that no record of this source keeps in ``extra`` (shell patterns).
        records: the first rule that fits a record says what it means; the last is for all others.
    """

    source: Name
    title: str
    system: Literal["lotus_notes", "operations"]
    connection: Name
    folder: str | None = None
    service: Annotated[DominoService | ExchangeService, Field(discriminator="kind")] | None = None
    schedule: Schedule = Schedule()
    batch_size: int = Field(default=500, ge=1, le=10_000)
    pool: Name
    pool_slots: int = Field(default=2, ge=1, le=64)
    organ: OrganSettings
    numbering: Numbering = Numbering()
    secrecy: SecrecySettings = SecrecySettings()
    access: AccessSettings = AccessSettings()
    ignore: tuple[str, ...] = ()
    records: tuple[RecordRule, ...] = Field(min_length=1)

    _file: str = PrivateAttr(default="")
    _lines: Mapping[KeyPath, int] = PrivateAttr(default_factory=dict)

    @field_validator("folder")
    @classmethod
    def _inside(cls, value: str | None) -> str | None:
        if value is not None and (value.startswith(("/", "\\")) or ".." in Path(value).parts or ":" in value):
            raise ValueError("the folder must be relative and stay inside the drop folder")
        return value

    @model_validator(mode="after")
    def _service_of_system(self) -> SourceConfig:
        if self.service is not None and SERVICES[self.service.kind] != self.system:
            raise ValueError(f"a {self.service.kind} service holds records of {SERVICES[self.service.kind]}")
        return self

    @property
    def longest_pause(self) -> timedelta:
        """How long a task that reads the source may have to wait before it is its turn."""
        hours = self.service.politeness.office_hours if self.service is not None else None
        return hours.pause if hours is not None else timedelta(0)

    def where(self, *path: str | int) -> str:
        """File, line and key of a setting, for messages."""
        marked = MarkedYaml(None, self._lines)
        return f"{self._file or self.source}:{marked.line_of(path)}, {dotted(path)}"


def load_source(path: Path) -> SourceConfig:
    """Load and check one source's YAML.

    Raises:
        ConfigurationError: naming file, line and key of the first thing that is wrong.
    """
    marked = read_yaml(path)
    if not isinstance(marked.data, dict):
        raise ConfigurationError(
            "the file holds no settings", where=f"{path}:1", expected="a mapping of settings"
        )
    try:
        config = SourceConfig.model_validate(marked.data)
    except ValidationError as error:
        raise first_error(error, path, marked, known_keys()) from error
    config._file, config._lines = str(path), dict(marked.lines)
    for key, problem in problems(config):
        raise ConfigurationError(problem, where=config.where(*key), action="correct this key in the file")
    return config


def load_sources(folder: Path = SOURCES_FOLDER) -> dict[str, SourceConfig]:
    """Load every ``*.yaml`` of ``folder``, by source name, in the order of their file names.

    Raises:
        ConfigurationError: as ``load_source``; the folder is not there; two files have the same ``source``.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            "the folder of sources is not there", where=str(folder), expected="a folder of YAML files"
        )
    found: dict[str, SourceConfig] = {}
    for path in sorted(folder.glob("*.yaml")):
        config = load_source(path)
        if config.source in found:
            raise ConfigurationError(
                f"the source {config.source!r} is configured twice",
                where=config.where("source"),
                expected=f"another name than in {found[config.source].where('source')}",
            )
        found[config.source] = config
    return found


def known_keys() -> tuple[str, ...]:
    """Every key that a source's YAML may hold somewhere: what a misspelt one is compared with."""
    models = (
        SourceConfig,
        Schedule,
        OrganSettings,
        Numbering,
        TermOfOffice,
        AccessSettings,
        AccessRule,
        SecrecySettings,
        SecrecyField,
        Condition,
        EachRule,
        FieldRule,
        RecordRule,
        DominoService,
        ExchangeService,
        ExchangeFields,
        ViewColumns,
        AttachmentLimits,
        Politeness,
        OfficeHours,
    )
    return tuple({(field.alias or name) for model in models for name, field in model.model_fields.items()})
