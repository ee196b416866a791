"""`make pictures GRAFANA=IMAGE`: what counts as an error of Grafana's log, and what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.full import ROOT, full
from tests.pictures import browser, grafana

FOLDER = "Can't read alerting provisioning files from directory"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (f'{{"level":"error","logger":"provisioning.alerting","msg":"{FOLDER}"}}', True),
        (f'logger=provisioning.plugins t=2026-11-28T12:00:00Z level=error msg="{FOLDER}" path=/etc', True),
        ('t=2026-11-28T12:00:00+0000 lvl=eror msg="failed to load"', True),
        ("panic: runtime error: index out of range", True),
        ('{"level":"info","msg":"Request Completed","path":"/?level=error"}', False),
        ('{"level":"warn","msg":"level=error in a text"}', False),
        ("logger=settings level=info msg=Starting", False),
        ("", False),
    ],
)
def test_error_lines_are_found_in_both_formats(line: str, error: bool) -> None:
    assert grafana.is_error(line) is error


def test_a_missing_browser_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(browser.BrowserProblem, match="apt-get install chromium"):
        browser.executable()


def test_a_missing_stack_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    wanted = pytest.raises(grafana.GrafanaProblem, match="no Docker network fleetwatch-hub: .*make up")
    with wanted, grafana.running(full(), "any:image"):
        pytest.fail("nothing may start")


def test_files_of_the_container_are_those_of_the_hub(tmp_path: Path) -> None:
    mounts = grafana.write_files(full(), tmp_path, "not-a-real-password")
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    kinds = ("alerting", "dashboards", "datasources", "plugins")
    assert {f"config/provisioning/{kind}/fleetwatch.yml" for kind in kinds} < written
    assert {"config/grafana.ini", "secrets/admin-password", "config/dashboards/fleetwatch-hub.json"} < written
    assert [mount for mount in mounts if mount != "-v"] == [
        f"{tmp_path}/config:/etc/grafana:ro",
        f"{tmp_path}/secrets:/run/secrets/fleetwatch:ro",
    ]


def test_without_an_image_nothing_of_the_browser_is_needed() -> None:
    script = "import sys, runpy; sys.argv = ['x', '--help']; runpy.run_module('tests.pictures', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--grafana IMAGE" in done.stdout
