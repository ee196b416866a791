"""files.sh with ACTION=drift: a line for each difference, and nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.service_files import Service
from tests.unit.test_deploy_files import OLD


@pytest.fixture
def deployed(tmp_path: Path) -> Service:
    made = Service(tmp_path)
    assert made.deploy(OLD).returncode == 0
    made.env["ACTION"] = "drift"
    return made


def everything(made: Service) -> dict[str, tuple[float, str]]:
    found = (made.folder / "base").rglob("*")
    return {str(p): (p.stat().st_mtime, p.read_text() if p.is_file() else "") for p in found}


def differences(made: Service, files: dict[str, str] = OLD) -> list[str]:
    """What it prints, without the folder; nothing on the host may have changed."""
    before, calls = everything(made), len(made.calls())
    done = made.deploy(files)
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(made) == before
    assert [call for call in made.calls()[calls:] if not call.startswith("inspect")] == []
    return [line.replace(str(made.live), "...") for line in done.stdout.splitlines()]


def test_what_is_as_deployed_has_no_differences(deployed: Service) -> None:
    assert differences(deployed) == []


def test_each_kind_of_difference_has_a_line(deployed: Service) -> None:
    (deployed.live / "main.yml").write_text("by hand\n")
    (deployed.live / "rules" / "a.yml").unlink()
    (deployed.live / "rules" / "mine.yml").write_text("x\n")
    assert differences(deployed) == [
        "file .../main.yml: edited",
        "file .../rules/a.yml: gone",
        "file .../rules/mine.yml: not ours",
    ]


def test_a_folder_that_is_gone_is_one_line_and_is_not_made(deployed: Service) -> None:
    (deployed.folder / "base").rename(deployed.folder / "elsewhere")
    assert differences(deployed) == ["folder ...: gone"]
    assert not (deployed.folder / "base").exists()


def test_files_that_the_container_has_not_read_are_a_difference(deployed: Service) -> None:
    deployed.live.with_name("config.pending").write_text("main.yml\n")
    assert differences(deployed) == ["container fw-svc: has not read its new files yet"]


def test_the_next_update_puts_everything_back(deployed: Service) -> None:
    (deployed.live / "main.yml").write_text("by hand\n")
    (deployed.live / "rules" / "a.yml").unlink()
    deployed.env["ACTION"] = "repair"
    before = deployed.reloads()
    assert deployed.deploy(OLD).returncode == 0
    assert (deployed.files(), deployed.reloads()) == (OLD, before + 1)
    deployed.env["ACTION"] = "drift"
    assert differences(deployed) == []
