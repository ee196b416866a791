"""The headless browser of the tests: found, installed, or its tests are announced as skipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tools import apt, browser
from tools.errors import ToolError


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_one_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "chromium").write_text("")
    (tmp_path / "chromium").chmod(0o755)
    assert browser.program() == str(tmp_path / "chromium")
    browser.prepare()


def test_a_plain_user_reads_what_is_skipped_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(apt, "usable", lambda: False)
    browser.prepare()
    output = capsys.readouterr().out
    assert "are skipped: no headless browser" in output
    assert "apt-get install chromium-headless-shell" in output


def test_where_apt_has_none_the_set_up_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(packages: Sequence[str], what: str) -> None:
        raise ToolError(f"apt-get install {what} failed")

    monkeypatch.setattr(apt, "usable", lambda: True)
    monkeypatch.setattr(apt, "update", lambda: None)
    monkeypatch.setattr(apt, "install", none)
    browser.prepare()
    assert "are skipped: apt-get install chromium-headless-shell failed" in capsys.readouterr().out
