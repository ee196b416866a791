"""What the doctor reports of log lines that no agent reads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from configs.settings import load
from tests.fixtures.full import SOURCE, small
from tools.doctor import report, unread
from tools.doctor.command import with_unread
from tools.doctor.hosts import HostReport

# A `docker` with three containers; `exec` runs the words behind the container here.
DOCKER = """#!/bin/sh
case "$1" in
    ps) echo aaa; echo bbb; echo ccc; echo ddd ;;
    inspect)
        echo "aaa true none shop_default /quiet"
        echo "bbb true json-file container:gone /lost"
        echo "ccc true local container:aaa /kept"
        echo "ddd false none bridge /stopped"
        ;;
    exec) shift 2; exec "$@" ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path) -> list[str]:
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return [str(program)]


def test_running_containers_whose_lines_are_not_read_are_named(docker: list[str]) -> None:
    found = unread.examine(load(small(), SOURCE), lambda _: docker)["hub"]
    quiet, lost = sorted(found.containers, reverse=True)
    assert quiet.startswith("hub: the log lines of container quiet are not collected: its log driver is `none`")
    assert lost.startswith("hub: the log lines of container lost are not collected: it uses the network of a container")
    assert found.links == ()


def test_links_out_of_the_mounted_folder_are_named(docker: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "it's logs"
    folder.mkdir()
    (folder / "good.log").write_text("x")
    os.symlink(folder / "good.log", folder / "inside.log")
    for number in range(7):
        os.symlink(f"/nowhere/{number}.log", folder / f"out-{number}.log")
    hub = {"logs": {"files": {"shop": {"path": f"{folder}/*.log"}, "other": {"path": f"{folder}/sub/*.txt"}}}}
    found = unread.examine(load(small(hosts={"hub": hub}), SOURCE), lambda _: docker)["hub"]
    (link,) = found.links
    assert link.startswith("hub: logs.files.shop: a symbolic link leads nowhere in the log agent")
    assert f"{folder}/out-0.log" in link
    assert "and 2 more" in link
    assert "inside.log" not in link


def test_a_glob_is_no_shell(docker: list[str], tmp_path: Path) -> None:
    """A path stays text: the setting allows blanks, quotes and dollars."""
    made = tmp_path / "made"
    globs = {"one": f"{tmp_path}/$(touch {made})/*; touch {made}; `touch {made}`'/[a-c]*.log"}
    assert unread.links(globs, docker, "agent") == []
    assert not made.exists()


def test_host_that_does_not_answer_has_no_sentence_here(tmp_path: Path) -> None:
    found = unread.examine(load(small(), SOURCE), lambda _: [str(tmp_path / "no-docker")])
    assert found == {"hub": unread.Unread()}


def test_containers_are_notes_and_links_are_faults() -> None:
    empty = report.Findings(
        verdicts=[], hosts=[HostReport(host="hub")], unloaded=[], notes=["queries"], requests=0, seconds=0.0
    )
    found = with_unread(empty, {"hub": unread.Unread(containers=("quiet",), links=("link",))})
    assert found.notes == ["quiet", "queries"]
    assert found.hosts[0].wrong == ["link"]
    assert found.faults == 1
