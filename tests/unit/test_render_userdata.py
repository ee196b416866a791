"""User data of a droplet, rendered: what its first boot does, and that it fits and holds no secret."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml

from configs import deploy
from configs.render import userdata

MAJOR = 29
SETUP = "#!/bin/sh\n# odd: 'quotes' \"here\", a tab\there, \u00e9\necho ready\n"


def _data(**words: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(userdata.render(**{"major": MAJOR, **words}))
    return found


def _files(**words: Any) -> dict[str, dict[str, str]]:
    return {file["path"]: file for file in _data(**words)["write_files"]}


def test_equal_input_gives_equal_bytes_that_cloud_init_takes_for_its_own() -> None:
    text = userdata.render(major=MAJOR, setup=SETUP)
    assert text == userdata.render(major=MAJOR, setup=SETUP), "changed user data means a new droplet"
    assert text.splitlines()[0] == "#cloud-config", "else cloud-init does not know what it is"
    assert _data()["runcmd"] == [["/usr/local/lib/fleetwatch/first-boot"]], (
        "one command: the exit code of runcmd is that of its last"
    )


def test_logs_are_rotated_by_the_engine_for_every_container() -> None:
    daemon = json.loads(_files()["/etc/docker/daemon.json"]["content"])
    assert daemon["log-driver"] == "json-file"
    assert daemon["log-opts"] == {"max-size": "10m", "max-file": "5"}
    assert "live-restore" not in daemon, "containers would not be stopped in order when the droplet goes down"


def test_sshd_takes_keys_alone_and_many_sessions() -> None:
    file = _files()["/etc/ssh/sshd_config.d/10-fleetwatch.conf"]
    said = dict(line.split(" ", 1) for line in file["content"].splitlines() if not line.startswith("#"))
    assert said == {
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "X11Forwarding": "no",
        "MaxSessions": "50",
        "MaxStartups": "50:30:100",
    }


PACKAGES = "/usr/local/lib/fleetwatch/docker-packages"


def test_docker_and_compose_are_installed_by_the_script_that_servers_get() -> None:
    assert _files()[PACKAGES]["content"] == deploy.docker_packages(MAJOR)
    assert "MAJOR=28\n" in _files(major=28)[PACKAGES]["content"]
    first = _files()["/usr/local/lib/fleetwatch/first-boot"]["content"]
    assert f"/bin/sh {PACKAGES} < /dev/null" in first
    assert "apt-get" not in first, "one place says what is installed"
    assert "DPkg::Lock::Timeout=300" in _files()[PACKAGES]["content"], "the platform's agent is installed meanwhile"


@pytest.mark.parametrize("path", [userdata.PER_BOOT, "/usr/local/lib/fleetwatch/first-boot"])
def test_the_scripts_are_programs_that_a_shell_can_read(path: str) -> None:
    file = _files()[path]
    assert file["permissions"] == "0755"
    assert file["content"].startswith("#!/bin/sh\n")
    done = subprocess.run(["/bin/sh", "-n"], input=file["content"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "systemctl" not in file["content"], "a machine without systemd is one too"


def test_the_first_boot_comes_to_docker_then_to_the_rule_then_to_setup() -> None:
    script = _files()["/usr/local/lib/fleetwatch/first-boot"]["content"]
    steps = [
        "sshd -t",
        "service ssh reload",
        PACKAGES,
        "service docker",
        "until docker version",
        userdata.PER_BOOT,
        "/setup <",
    ]
    assert sorted(steps, key=script.index) == steps


def test_setup_arrives_as_it_was_written() -> None:
    file = _files(setup=SETUP)["/usr/local/lib/fleetwatch/setup"]
    assert file["content"] == SETUP
    assert file["permissions"] == "0700"
    assert "/usr/local/lib/fleetwatch/setup" not in _files(), "without a setup there is none to be run"


def test_what_the_platform_would_refuse_is_refused_here() -> None:
    fits = userdata.render(major=MAJOR, setup="#!/bin/sh\n" + "#" * 32 * 1024)
    assert len(fits.encode()) <= userdata.LIMIT
    with pytest.raises(ValueError, match=r"at most 65536 bytes, got 8\d{4}"):
        userdata.render(major=MAJOR, setup="#!/bin/sh\n" + "\u00e9" * 34 * 1024)


@pytest.fixture
def box(tmp_path: Any) -> dict[str, Any]:
    """A PATH on which every program that the scripts call is a stand-in that records its words."""
    programs, calls = tmp_path / "bin", tmp_path / "calls"
    programs.mkdir()
    calls.touch()
    for name in (
        "service",
        "docker",
        "iptables",
        "sleep",
        "mkdir",
        "sshd",
        "rule",
    ):
        answer = tmp_path / name
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {calls}\n[ ! -f {answer} ] || . {answer}\n')
        (programs / name).chmod(0o755)
    return {"folder": tmp_path, "bin": programs, "calls": calls}


def _boot(box: dict[str, Any], path: str) -> subprocess.CompletedProcess[str]:
    text = _files()[path]["content"].replace("/usr/sbin/sshd", "sshd").replace(userdata.PER_BOOT, "rule")
    text = text.replace(userdata.FOLDER, str(box["folder"]))
    packages = f"echo packages >> {box['calls']}\n[ ! -f {box['folder']}/apt ] || . {box['folder']}/apt\n"
    (box["folder"] / "docker-packages").write_text(packages)
    script = box["folder"] / "script"
    script.write_text(text)
    env = {"PATH": str(box["bin"])}
    return subprocess.run(["/bin/sh", str(script)], capture_output=True, text=True, env=env, check=False, timeout=30)


def _calls(box: dict[str, Any]) -> list[str]:
    text: str = box["calls"].read_text()
    return text.splitlines()


def _has_docker(box: dict[str, Any]) -> None:
    (box["bin"] / "dockerd").write_text("#!/bin/sh\n")
    (box["bin"] / "dockerd").chmod(0o755)


FIRST = "/usr/local/lib/fleetwatch/first-boot"


def test_docker_is_started_or_restarted_once_its_packages_are_there(box: dict[str, Any]) -> None:
    assert _boot(box, FIRST).returncode == 0
    assert [call for call in _calls(box) if "docker" in call or call == "packages"][:2] == [
        "packages",
        "service docker start",
    ]
    box["calls"].write_text("")
    _has_docker(box)
    assert _boot(box, FIRST).returncode == 0
    assert "packages" in _calls(box), "Compose may be missing"
    assert "service docker restart" in _calls(box), "else it would not read its settings"
    assert "rule" in _calls(box)


def test_an_installation_is_tried_again_and_then_fails_the_boot(box: dict[str, Any]) -> None:
    (box["folder"] / "apt").write_text("exit 100\n")
    done = _boot(box, FIRST)
    assert done.returncode == 1, "cloud-init must say that the boot failed"
    assert "installing Docker failed 5 times" in done.stdout
    assert _calls(box).count("packages") == 5
    assert not [call for call in _calls(box) if "docker" in call]


def test_a_setup_that_fails_fails_the_boot_and_runs_after_docker_answers(box: dict[str, Any]) -> None:
    _has_docker(box)
    setup = box["folder"] / "setup"
    setup.write_text("#!/bin/sh\necho setup >> " + str(box["calls"]) + "\nexit 3\n")
    setup.chmod(0o700)
    assert _boot(box, FIRST).returncode == 3
    assert _calls(box).index("docker version") < _calls(box).index("setup")


def test_sshd_settings_that_sshd_does_not_take_are_not_loaded(box: dict[str, Any]) -> None:
    (box["folder"] / "sshd").write_text("exit 255\n")
    assert _boot(box, FIRST).returncode != 0
    assert not [call for call in _calls(box) if call.startswith("service ssh")], "nobody could come in any more"


def test_the_metadata_rule_is_set_once_and_waits_for_dockers_chain(box: dict[str, Any]) -> None:
    assert _boot(box, userdata.PER_BOOT).returncode == 0
    assert not _calls(box), "before Docker is installed there is nothing to do, and nothing to wait for"
    _has_docker(box)
    (box["folder"] / "iptables").write_text('case "$*" in *-C*) exit 1 ;; esac\n')
    assert _boot(box, userdata.PER_BOOT).returncode == 0
    assert _calls(box)[-1] == "iptables -w -I DOCKER-USER -d 169.254.169.254 -j DROP", "at the head of the chain"
    box["calls"].write_text("")
    (box["folder"] / "iptables").write_text("")
    assert _boot(box, userdata.PER_BOOT).returncode == 0
    assert not [call for call in _calls(box) if " -I " in call], "it is there already"
    box["calls"].write_text("")
    (box["folder"] / "iptables").write_text("exit 1\n")
    done = _boot(box, userdata.PER_BOOT)
    assert done.returncode == 1
    assert "no chain DOCKER-USER, looked for it 60 times" in done.stderr
