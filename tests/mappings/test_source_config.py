"""A source's YAML: what it says, and how a mistake is pointed at."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from datetime import time, timedelta
from pathlib import Path

import pytest

import mappings.config
from mappings.config import load_source, load_sources
from mappings.source_schema import json_schema
from schemas.document import Direction, RecordKind
from schemas.errors import ConfigurationError

ROOT = Path(mappings.config.__file__).parents[1]
VALID = """\
source: van_ban
title: Văn bản
system: lotus_notes
connection: van_ban
pool: lotus_notes
organ: {name: Văn phòng Tỉnh ủy}
records:
  - when: {form: VanBanDen}
    kind: document
    direction: incoming
    fields:
      subject: {from: TrichYeu, required: true}
      symbol: [SoKyHieu, So]
      relations:
        each: {path: $parent, fields: {kind: {value: response_in_source}, uid: .}}
  - kind: other
"""


def written(tmp_path: Path, text: str, name: str = "van_ban.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sources_that_come_with_this_version() -> None:
    sources = load_sources()
    assert list(sources) == ["dieu_hanh", "notes_van_ban"]
    notes, operations = sources["notes_van_ban"], sources["dieu_hanh"]
    assert (notes.system, notes.connection, notes.schedule.cron, notes.pool) == (
        "lotus_notes", "lotus_notes_van_ban", "0 1 * * *", "lotus_notes",
    )  # fmt: skip
    assert (operations.system, operations.connection, operations.schedule.cron, operations.pool) == (
        "operations", "dieu_hanh", "0 2 * * *", "dieu_hanh",
    )  # fmt: skip
    for config in sources.values():
        assert config.schedule.timezone == "Asia/Ho_Chi_Minh"
        assert config.batch_size == 500
        assert config.records[-1].when is None
        assert config.records[-1].kind is RecordKind.OTHER


def test_short_forms_and_defaults(tmp_path: Path) -> None:
    config = load_source(written(tmp_path, VALID))
    rule = config.records[0]
    assert rule.direction is Direction.INCOMING
    assert rule.when is not None
    assert rule.when.form == ("VanBanDen",)
    assert rule.fields["symbol"].from_ == ("SoKyHieu", "So")
    assert rule.fields["subject"].required
    assert rule.fields["relations"].each[0].fields["uid"].from_ == (".",)
    assert config.schedule.overlap == timedelta(days=3)
    assert (
        config.where("records", 0, "fields", "symbol")
        == f"{tmp_path / 'van_ban.yaml'}:13, records.0.fields.symbol"
    )
    assert pickle.loads(pickle.dumps(config)).where("pool") == config.where("pool")


@pytest.mark.parametrize(
    ("change", "line", "key", "message"),
    [
        (("title: Văn bản", "titel: Văn bản"), 2, "titel", "unknown key 'titel'; did you mean 'title'?"),
        (("connection: van_ban\n", ""), 1, "(the whole file)", "the key 'connection' is missing"),
        (("system: lotus_notes", "system: notes"), 3, "system", "Input should be 'lotus_notes'"),
        (("source: van_ban", "source: Văn bản"), 1, "source", "pattern"),
        (("from: TrichYeu,", "from: TrichYeu, transform: dat,"), 12, "transform", "transform"),
        (("from: TrichYeu, req", "form: TrichYeu, req"), 12, "subject.form", "did you mean 'from'?"),
        (("symbol: [", "simbol: ["), 13, "records.0.fields.simbol", "did you mean 'symbol'?"),
        (("uid: .", "uidd: ."), 14, "records.0.fields.relations", "did you mean 'uid'?"),
        (("{value: response_in_source}", "{value: parent}"), 14, "relations", "a relation needs `kind"),
        (("title: Văn bản", "title: A\ntitle: B"), 3, "title", "stands there twice, first on line 2"),
        (("kind: other", "kind: other\n    when: {kind: status}"), 16, "records.1", "the last rule has"),
        (("- when: {form: VanBanDen}\n    kind", "- kind"), 8, "records.0", "never reached"),
        (("pool: lotus_notes", "pool: p\nschedule: {cron: daily}"), 6, "schedule.cron", "five cron fields"),
        (("pool: lotus_notes", "pool: p\nschedule: {cron: 0 25 * * *}"), 6, "schedule.cron", "beyond 23"),
        (("pool: lotus_notes", "pool: p\nschedule: {timezone: Hanoi}"), 6, "timezone", "no time zone"),
        (("pool: lotus_notes", "pool: p\nfolder: ../khac"), 6, "folder", "stay inside"),
        (("pool: lotus_notes", "pool: p\nbatch_size: 0"), 6, "batch_size", "greater than or equal to 1"),
        (
            ("pool: lotus_notes", "pool: p\nsecrecy: {fields: [{path: DoMat, values: {Mật: none}}]}"),
            6, "secrecy.fields.0.values.Mật", "cannot be switched off",
        ),
        (
            ("    direction: incoming", "    direction: incoming\n    require_any: [[symbol, date]]"),
            11, "require_any", "no shared field of the name 'date'",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_file_line_and_key(
    tmp_path: Path, change: tuple[str, str], line: int, key: str, message: str
) -> None:
    assert change[0] in VALID
    path = written(tmp_path, VALID.replace(*change, 1))
    with pytest.raises(ConfigurationError) as caught:
        load_source(path)
    assert caught.value.where.startswith(f"{path}:{line}, ")
    assert key in caught.value.where
    assert message in caught.value.what


@pytest.mark.parametrize(
    ("text", "message"), [("", "holds no settings"), ("- a", "holds no settings"), ("a: [1", "no valid YAML")]
)
def test_files_that_are_no_configuration(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_source(written(tmp_path, text))


def test_a_missing_file_and_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_source(tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match="folder of sources is not there"):
        load_sources(tmp_path / "none")


def test_two_files_of_one_source(tmp_path: Path) -> None:
    written(tmp_path, VALID, "a.yaml")
    written(tmp_path, VALID, "b.yaml")
    with pytest.raises(ConfigurationError, match="configured twice"):
        load_sources(tmp_path)


def test_python_tags_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no valid YAML"):
        load_source(written(tmp_path, VALID.replace("title: Văn bản", "title: !!python/name:os.system")))


def test_the_committed_schema_is_current() -> None:
    committed = (ROOT / "schemas" / "source.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


def test_loading_is_light() -> None:
    code = (
        "import sys; from mappings.config import load_sources; load_sources(); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'pypdfium2', 'lxml', 'airflow', 'sqlalchemy', 'requests', 'cryptography'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SERVICE = VALID.replace("pool: lotus_notes\n", """\
pool: lotus_notes
service:
  kind: domino
  database: vanban/vbden.nsf
  inventory: views
  views: [TatCa]
  columns: {modified: NgaySua}
  politeness:
    requests_per_second: 2
    office_hours: {days: [mon, fri], from: 07:30, to: 17:00, requests_per_second: 0.5}
""")  # fmt: skip


def test_a_live_service_is_described_in_one_block(tmp_path: Path) -> None:
    service = load_source(written(tmp_path, SERVICE)).service
    assert service is not None
    assert (service.kind, service.database, service.inventory) == ("domino", "vanban/vbden.nsf", "views")
    assert (service.agent, service.documents_per_request) == ("LienthongExport", 1)
    hours = service.politeness.office_hours
    assert hours is not None
    assert (hours.days, hours.start, hours.end) == (("mon", "fri"), time(7, 30), time(17))
    assert load_source(written(tmp_path, VALID)).service is None


def test_a_task_must_be_allowed_to_wait_for_the_end_of_office_hours(tmp_path: Path) -> None:
    slower, none = load_source(written(tmp_path, SERVICE)), load_source(written(tmp_path, VALID))
    assert (slower.longest_pause, none.longest_pause) == (timedelta(0), timedelta(0))
    paused = load_source(written(tmp_path, SERVICE.replace(", requests_per_second: 0.5", "")))
    assert paused.longest_pause == timedelta(hours=9, minutes=30)


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("vanban/vbden.nsf", "vanban/../names.nsf", "has no `..`"),
        ("vanban/vbden.nsf", "/vanban/vbden.nsf", "should match pattern"),
        ("views: [TatCa]", "views: []", "needs the names of `views`"),
        ("inventory: views", "inventory: agent", "`views` are not used"),
        ("columns: {modified: NgaySua}", "columns: {sequence: Lan}", "cannot say that a document changed"),
        ("to: 17:00", "to: 07:00", "office hours end at 07:00"),
        ("kind: domino", "kind: dominoo", "'domino'"),
        ("system: lotus_notes", "system: operations", "holds records of lotus_notes"),
        ("requests_per_second: 2", "request_per_second: 2", "did you mean 'requests_per_second'"),
    ],
)
def test_a_mistake_in_the_service_is_pointed_at(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    path = written(tmp_path, SERVICE.replace(was, becomes))
    with pytest.raises(ConfigurationError) as caught:
        load_source(path)
    assert told in str(caught.value)
    assert caught.value.where.startswith(f"{path}:")
