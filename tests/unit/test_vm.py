"""The parts of `make test-vm` that need no virtual machine: its disk's key, its command line, what replaces KVM."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from configs.render import userdata
from configs.settings.fleet import Docker
from tests.vm import checks, disk, emulator, machine, programs, report
from tools.errors import ToolError


def _emulator(home: Path) -> emulator.Emulator:
    made = disk.Disk(home / "disk.img", home / "vmlinuz", home / "initrd.img")
    return emulator.Emulator(home, made, home / "images.tar")


def test_nothing_but_ssh_is_forwarded_and_that_from_loopback(tmp_path: Path) -> None:
    argv = _emulator(tmp_path).argv("tcg")
    (network,) = [one for one in argv if one.startswith("user,")]
    assert network.count("hostfwd=") == 1
    assert "hostfwd=tcp:127.0.0.1:" in network
    assert network.endswith("-:22")


def test_a_run_writes_to_its_overlay_alone(tmp_path: Path) -> None:
    drives = [one for one in _emulator(tmp_path).argv("kvm") if one.startswith("file=") and "if=none" in one]
    written = [one for one in drives if "readonly=on" not in one]
    assert [one.split(",")[0] for one in written] == [f"file={tmp_path / 'overlay.qcow2'}"]


def test_the_seed_is_the_user_data_of_a_droplet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "run", lambda argv, what: None)
    emulator.seed(tmp_path, "vm-1", "ssh-ed25519 AAAA")
    assert (tmp_path / "seed" / "user-data").read_text() == userdata.render(major=Docker().major)
    assert "ssh-ed25519 AAAA" in (tmp_path / "seed" / "meta-data").read_text()


def test_the_key_of_the_disk_changes_with_its_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    before = disk.key()
    monkeypatch.setattr(disk, "_PACKAGES", ("systemd-sysv",))
    assert disk.key() != before


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "missing", lambda: {"qemu-system-x86_64": "qemu-system-x86"})
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ToolError, match="install qemu-system-x86, or run this once as root"):
        programs.find()


def test_another_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(ToolError, match="this machine is aarch64"):
        programs.find()


def _in_its_place(monkeypatch: pytest.MonkeyPatch, made: emulator.Emulator, scripts: dict[str, str]) -> None:
    """A Python script as the emulator of each accelerator; KVM may be opened."""
    monkeypatch.setattr(made, "argv", lambda accelerator: [sys.executable, "-c", scripts[accelerator]])
    monkeypatch.setattr(emulator, "run", lambda argv, what: None)
    monkeypatch.setattr("os.access", lambda path, mode: True)


def test_a_kvm_that_boots_nothing_is_replaced_by_emulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _emulator(tmp_path)
    boots = f"import time; open({str(made.console)!r}, 'w').write('Linux version 6'); time.sleep(60)"
    _in_its_place(monkeypatch, made, {"kvm": "import time; time.sleep(60)", "tcg": boots})
    monkeypatch.setattr(emulator, "FIRST_LINE", 0)
    try:
        made.boot(lambda: True)
        assert made.accelerator == "tcg"
        assert "the kernel wrote nothing" in made.refused
    finally:
        made.stop()


def test_an_emulator_that_ends_is_named_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _emulator(tmp_path)
    ends = "import sys; sys.exit('no such device')"
    _in_its_place(monkeypatch, made, {"kvm": ends, "tcg": ends})
    with pytest.raises(ToolError, match="the emulator ended: no such device"):
        made.boot(lambda: False)


def test_a_stopped_emulator_leaves_no_process_and_no_overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _emulator(tmp_path)
    boots = f"import time; open({str(made.console)!r}, 'w').write('Linux version 6'); time.sleep(60)"
    _in_its_place(monkeypatch, made, {"kvm": boots})
    made.boot(lambda: True)
    (tmp_path / "overlay.qcow2").touch()
    assert made._process
    pid = made._process.pid
    made.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert not (tmp_path / "overlay.qcow2").exists()


def test_the_section_has_every_step_and_what_ran() -> None:
    steps = [report.Step("boot to SSH", 81.4, "by tcg", True), report.Step("reboot", 130.0, "a | b", True)]
    text = report.section(steps, {"kernel": "6.12", "accelerator": "tcg"})
    assert "- kernel: 6.12" in text
    assert "| boot to SSH | 81 s | by tcg |" in text
    assert "| reboot | 2 min 10 s | a / b |" in text
    assert "| in all | 3 min 31 s | |" in text


FACTS = "init=systemd 257\ncgroup=v2, systemd\ndocker={}"


@pytest.mark.parametrize(("version", "new_enough"), [("26.1.5+dfsg1", True), ("29.0.1", True), ("20.10.24", False)])
def test_an_older_engine_than_debian_13s_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, new_enough: bool
) -> None:
    made = machine.Machine("vm-1", tmp_path, _emulator(tmp_path), {})
    monkeypatch.setattr(made, "run", lambda script: FACTS.format(version))
    if new_enough:
        assert checks.platform(made)["docker"] == version
    else:
        with pytest.raises(AssertionError, match="expected Docker 26 or newer"):
            checks.platform(made)
