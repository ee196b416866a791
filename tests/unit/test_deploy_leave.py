"""remove_project.sh and leave_host.sh for real, with a fake docker: nothing of ours stays on a host that goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.fake_docker import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_the_last_step_on_a_host_removes_what_a_failed_command_left(rig: Rig, tmp_path: Path) -> None:
    base = tmp_path / "made" / "fw"
    (base / "edge" / "agent").mkdir(parents=True)
    (base / "edge.lock").touch()
    (base / "caddy.next").mkdir()
    rig.answer("ps", 'case "$*" in *project=fw*stack=fw*) echo abc ;; esac')
    setting = tmp_path / "60-fw.conf"
    setting.write_text("# before: 0\nnet.ipv4.ip_nonlocal_bind = 1\n")
    now = tmp_path / "nonlocal"
    now.write_text("1\n")
    place = {"BASE": str(base), "DIR": str(base / "edge"), "PREFIX": "fw"}
    done = rig.run("remove_project", "", VOLUMES="yes", **place)
    assert (done.returncode, done.stderr) == (0, "")
    assert "rm -f -v abc" in rig.calls()
    done = rig.run("leave_host", "", FILES=str(base), LATE_ADDRESS=str(setting), NONLOCAL=str(now))
    assert (done.returncode, done.stderr) == (0, "")
    assert not setting.exists()
    assert now.read_text() == "0\n", "as it was before"
    assert not base.parent.exists(), "the folder that the readiness step made goes too"


@pytest.mark.parametrize(
    ("before", "other"),
    [
        ("1", ""),
        ("0", "net.ipv4.ip_nonlocal_bind = 1\n"),
        ("0", "# of ours\n net.ipv4.ip_nonlocal_bind=1\n"),
    ],
)
def test_setting_that_somebody_else_needs_stays(rig: Rig, tmp_path: Path, before: str, other: str) -> None:
    setting, now = tmp_path / "sysctl.d" / "60-fw.conf", tmp_path / "nonlocal"
    setting.parent.mkdir()
    setting.write_text(f"# before: {before}\nnet.ipv4.ip_nonlocal_bind = 1\n")
    (setting.parent / "99-admin.conf").write_text(other)
    now.write_text("1\n")
    rig.run("leave_host", "", FILES=str(tmp_path / "fw"), LATE_ADDRESS=str(setting), NONLOCAL=str(now))
    assert not setting.exists()
    assert now.read_text() == "1\n"


def test_another_stack_on_the_host_keeps_its_folder(rig: Rig, tmp_path: Path) -> None:
    for prefix in ("fw", "other"):
        (tmp_path / "made" / prefix / "agent").mkdir(parents=True)
    rig.run("leave_host", "", FILES=str(tmp_path / "made" / "fw"), LATE_ADDRESS="")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["other"]
