"""Docker Engines that are known to be bad: the table, and its page."""

from __future__ import annotations

import shutil

import pytest

from configs import engines
from tools import docker_engine
from tools.paths import CHECKOUT


@pytest.mark.parametrize(
    ("version", "found"),
    [("20.10.9", 1), ("20.10", 1), ("20.10.10", 0), ("28.2.2", 1), ("28.3.2-rc.1", 1), ("28.3.3", 0), ("29.7.2", 0)],
)
def test_versions_of_a_range(version: str, found: int) -> None:
    assert len(engines.warnings(version)) == found


def test_page_has_every_row_of_the_table() -> None:
    page = (CHECKOUT / "docs" / "engines.md").read_text()
    section = page.partition("## Known to be bad")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert rows == [
        f"| {bad.first} | {bad.fixed} | {bad.reason} | {bad.sentence().removeprefix(f'{bad.reason}; ')} |"
        for bad in engines.KNOWN_BAD
    ]


def test_processors_by_the_names_of_docker() -> None:
    assert [engines.platform(name) for name in ("x86_64", "aarch64", "riscv64")] == ["amd64", "arm64", "riscv64"]


@pytest.mark.parametrize(("version", "warned"), [("28.2.2", True), ("28.5.2", False)])
def test_make_up_warns_about_the_engine_that_it_found(
    version: str, warned: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docker_engine, "_server", lambda: version)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert docker_engine.find() == version, "it is used nevertheless"
    shown = capsys.readouterr()
    expected = [f"warning: Docker Engine {version}: {sentence}" for sentence in engines.warnings(version)]
    assert bool(expected) is warned
    assert [line for line in (shown.out + shown.err).splitlines() if "Docker Engine" in line] == expected
