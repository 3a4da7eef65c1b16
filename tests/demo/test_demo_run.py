"""What is stopped and removed is the demo's own folder, whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import run


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo that does not run, in a data folder of the test's own."""
    data = tmp_path / "data"
    home = data / "demo-0a1b2c3d"
    (home / "drop").mkdir(parents=True)
    data.chmod(0o700)
    (home / "drop" / "vb.edxml").write_bytes(b"<edXML/>")
    mark = tmp_path / ".demo-id"
    mark.write_text("0a1b2c3d", encoding="ascii")
    monkeypatch.setattr(run, "_ID_FILE", mark)
    monkeypatch.setenv("LIENTHONG_HOME", str(data))
    monkeypatch.delenv("LIENTHONG_DATABASE_URL", raising=False)
    return home


def test_removing_leaves_nothing_of_the_demo(installed: Path) -> None:
    assert run.main(["remove"]) == 0
    assert not installed.exists()
    assert installed.parent.is_dir()
    assert run.main(["remove"]) == 0


def test_stopping_keeps_the_data(installed: Path) -> None:
    assert run.main(["down"]) == 0
    assert (installed / "drop" / "vb.edxml").read_bytes() == b"<edXML/>"
