"""The bench's stand-in for `ssh`, and what its output says of a run's steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from configs import ssh
from configs.deploy import script
from tests.bench import absent, events, page, ssh_standin
from tests.bench.events import Step
from tools.paths import CHECKOUT

PROGRAM = CHECKOUT / "tests" / "bench" / "ssh_standin.py"
ABSENT = ssh.SshTarget("deploy", "198.51.100.7", 22, "/key", 10)
REAL = ssh.SshTarget("root", "203.0.113.1", 22, "/key", 10)


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """The stand-in's configuration, with a real `ssh` that prints what it is given."""
    real = tmp_path / "real-ssh"
    real.write_text('#!/bin/sh\necho "real ssh: $#"\ncat\nexit 3\n')
    real.chmod(0o755)
    path = tmp_path / "known.json"
    path.write_text(json.dumps({"real": str(real), "addresses": ["198.51.100.7"], "names": ["absent-7"]}))
    return path


def _run(known: Path, argv: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-S", "-E", str(PROGRAM), str(known), *argv[1:]]
    return subprocess.run(whole, input=text, capture_output=True, text=True, timeout=20, check=False)


def test_the_first_contact_with_an_absent_host_keeps_a_host_key(known: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    parameters = {"HOST": "absent-7", "ADDRESS": "there", "KEY": "", "KEY_NAME": "k", "PATH_IN_FILE": "p"}
    parameters |= {"ACCOUNT": "deploy", "FORWARDS": ""}
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{PROGRAM}" "{known}" "$@"\n')
    program.chmod(0o755)
    argv = " ".join(f"'{word}'" for word in [str(program), *ssh.first_contact(ABSENT)[1:]])
    text = script("contact", SSH=argv, PATIENCE="5", BOOTING="", **parameters)
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ssh_standin.host_key("198.51.100.7")), done.stderr
    assert not kept.exists()


def test_an_absent_host_accepts_every_script_and_runs_none(known: Path) -> None:
    done = _run(known, [*ssh.ssh_argv(ABSENT, ssh_standin.host_key("x")), "-q", "cat"], "echo no\n")
    assert done.returncode == 0
    assert "echo" not in done.stdout
    assert done.stdout.startswith("applied at ")
    assert not _run(known, [*ssh.ssh_argv(ABSENT, "ssh-ed25519 x"), "-O", "stop"]).stdout


def test_a_gate_for_an_absent_host_does_not_reach_the_hub(known: Path) -> None:
    argv = [*ssh.ssh_argv(REAL, "ssh-ed25519 x"), "-q", "cat"]
    for_absent = script("gate", HOST="absent-7", PATIENCE="1")
    assert (_run(known, argv, for_absent).returncode, _run(known, argv, for_absent).stdout) == (0, "")
    for_real = script("gate", HOST="absent-70", PATIENCE="1")
    done = _run(known, argv, for_real)
    assert (done.returncode, done.stdout) == (3, f"real ssh: {len(argv) - 1}\n{for_real}")


def test_a_stream_to_another_host_is_the_real_one(known: Path) -> None:
    argv = [*ssh.ssh_argv(REAL, "ssh-ed25519 x"), "docker", "system", "dial-stdio"]
    assert _run(known, argv, "HOST=absent-7\n").returncode == 3


def test_within_the_block_ssh_answers_for_absent_hosts(tmp_path: Path) -> None:
    with absent.answered(tmp_path / "ssh"):
        argv = ssh.ssh_argv(ABSENT, "ssh-ed25519 x")
        done = subprocess.run([*argv, "true"], input="", capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert absent.entry(7)["server"] == {"address": "198.51.100.7", "user": "deploy"}


STEPS = [
    Step("command:local:Command", "hub-gate-vps-2", 6.0, 9.5),
    Step("command:local:Command", "vps-2-project", 1.0, 5.9),
    Step("command:local:Command", "hub-gate-vps-20", 1.0, 2.0),
    Step("random:index/randomPassword:RandomPassword", "vps-2-password", 0.5, 0.55),
]


def test_gates_are_found_by_their_host() -> None:
    assert [one.name for one in events.gates(STEPS)] == ["hub-gate-vps-2", "hub-gate-vps-20"]
    assert [one.name for one in events.gates(STEPS, "vps-2")] == ["hub-gate-vps-2"]


def test_a_timeline_is_in_order_and_leaves_out_what_took_no_time() -> None:
    expected = "vps-2-project 1.0 to 5.9 s, hub-gate-vps-2 6.0 to 9.5 s"
    assert events.timeline([one for one in STEPS if "vps-20" not in one.name]) == expected


def test_a_followed_run_has_its_steps_by_when_they_were_written(tmp_path: Path) -> None:
    log = tmp_path / "events.json"
    about = {"urn": "urn:x::vps-2-project", "op": "create", "type": "command:local:Command"}
    lines = [json.dumps({kind: {"metadata": about}}) for kind in ("resourcePreEvent", "resOutputsEvent")]
    write = f"echo '{lines[0]}' > '{log}'; sleep 0.5; echo '{lines[1]}' >> '{log}'"
    (step,) = events.followed(log, lambda: subprocess.run(["sh", "-c", write], check=True))
    assert step.name == "vps-2-project"
    assert step.seconds == pytest.approx(0.5, abs=0.4)


def test_a_table_is_markdown() -> None:
    table = page.Table("By process", ["process", "10 hosts"], [["engine", "1.0 s"]])
    assert table.text() == ["", "### By process", "", "| process | 10 hosts |", "|---|---|", "| engine | 1.0 s |"]
