"""Mistakes on the command line: one sentence, an exit code that is not 0, and nothing made."""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.full import ROOT
from tools import backend, cli, errors, pulumi_command, replacement, stack_factory, stack_secrets, stack_yaml
from tools import working_copy as copies
from tools.backup.repository import parsed_time
from tools.errors import ToolError
from tools.hub_docker import HubDocker
from tools.stack import Stack
from tools.unknown_name import unknown


def _tools(*words: str, state: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "FLEETWATCH_STATE": str(state), "FLEETWATCH_CACHE": str(cache)}
    argv = [sys.executable, "-m", "tools", *words]
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [["status"], ["down", "--yes"], ["password"], ["tunnel"], ["up"], ["ask", "x"]])
def test_a_stack_without_a_file_is_refused_and_nothing_is_made_for_it(tmp_path: Path, command: list[str]) -> None:
    done = _tools("--stack", "prd", *command, state=tmp_path / "state", cache=tmp_path / "cache")
    assert done.returncode == 1
    assert "STACK=prd: expected a stack with a file in stacks/ (" in done.stderr
    assert "did you mean prod? A new one: `make env NAME=prd`." in done.stderr
    assert not list((tmp_path / "state").iterdir())


def test_a_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path))
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "Pulumi.local.yaml").touch()
    with pytest.raises(ToolError, match=r"x.yaml: there is no such stack file; FILE=... names another one"):
        stack_factory.require_known(argparse.Namespace(stack="local", file=str(tmp_path / "x.yaml")))
    stack_factory.require_known(argparse.Namespace(stack="local", file=""))


def test_a_stack_file_that_cannot_be_read(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for place, reason in ((tmp_path, "Is a directory"), (loop, "Too many levels of symbolic links")):
        with pytest.raises(ToolError, match=f"expected a stack file, {reason}; FILE=... names another one"):
            copies.read(place)


def test_signs_of_yaml_are_shown_and_names_are_not() -> None:
    (problem,) = stack_yaml.parsed("a: [b\n", "x.yaml").problems
    assert problem.endswith("expected ',' or ']', but got '<stream end>'")
    (problem,) = stack_yaml.parsed("a: *hunter22\n", "x.yaml").problems
    assert "hunter22" not in problem


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (FileNotFoundError(errno.ENOENT, "x", "ssh"), "The program `ssh` is not on PATH: install it"),
        (OSError(errno.ENOSPC, "No space left on device", "/a"), "/a: No space left on device; free some disk space"),
        (OSError(errno.EROFS, "Read-only file system", b"/a"), "/a: Read-only file system; mount it for writing"),
        (OSError(errno.EIO, "I/O error"), "I/O error."),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    problem: OSError, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> int:
        raise problem

    assert cli.ended(run) == 1
    assert f"fleetwatch: {sentence}" in capsys.readouterr().err
    assert errors.sentence(ToolError("x")) == "x"


def test_a_reader_of_the_output_may_end_first() -> None:
    script = "from tools.cli import ended; ended(lambda: [print('x' * 99) for _ in range(9999)] and 0)"
    piped = f'"{sys.executable}" -c "{script}" | head -n 1'
    done = subprocess.run(["sh", "-c", piped], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_a_state_folder_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    done = _tools("status", state=file, cache=tmp_path / "cache")
    assert (done.returncode, done.stderr) == (1, f"fleetwatch: {file}: File exists.\n")


@pytest.mark.parametrize("port", ["x", "0", "-1", "65536", "1;id", "\u0661", "9" * 5000])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(ToolError, match="PORT=.*: expected a number from 1 to 65535"):
        cli.port(port)


@pytest.mark.parametrize("at", ["12:00", "2026-11-31", "28.11.2026", "1764000000", "2020-01-01T00:00+99:00", "9" * 300])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(ToolError, match=r"AT=.{0,40}: expected a time such as 2026-11-28T12:00"):
        parsed_time(at)


def test_a_time_of_the_future_and_one_at_the_edge_of_the_calendar_are_refused() -> None:
    with pytest.raises(ToolError, match="AT=9000-01-01: expected a time in the past, it is .*; without AT= the newest"):
        parsed_time("9000-01-01")
    for edge in ("0001-01-01T00:00+23:00", "9999-12-31T23:59-23:00"):
        with pytest.raises(ToolError, match="expected a time such as"):
            parsed_time(edge)
    assert parsed_time(" ") is None


def test_a_misspelt_name_has_the_one_that_was_meant() -> None:
    meant = "HOST=wbe-1: expected a host (hub, web-1); did you mean web-1?"
    assert str(unknown("HOST", "wbe-1", "a host", ["web-1", "hub"])) == meant
    assert str(unknown("HOST", "x" * 999, "a host", [])) == f"HOST={'x' * 60}...: expected a host (there is none)."


def test_rebuild_names_the_hosts_that_have_a_droplet() -> None:
    kind = replacement.DROPLET
    stack: Any = argparse.Namespace(state={"deployment": {"resources": [{"urn": "u::web-1-droplet", "type": kind}]}})
    replacement._require(stack, "web-1", kind, "droplet", "a host")
    for host in ("web", ""):
        with pytest.raises(ToolError, match=rf"HOST={host}: expected a host \(web-1\)"):
            replacement._require(stack, host, kind, "droplet", "a host")


def test_arguments_of_pulumi_are_split_without_a_shell() -> None:
    assert pulumi_command.words(["up --target 'a b'"]) == ["up", "--target", "a b"]
    assert pulumi_command.words(["stack", "output"]) == ["stack", "output"]
    for wrong in ("", "; touch x", "--help", "$(id)"):
        with pytest.raises(ToolError, match="ARGS=: expected a command of Pulumi"):
            pulumi_command.words([wrong])
    with pytest.raises(ToolError, match="ARGS=up 'a: expected arguments of Pulumi, No closing quotation"):
        pulumi_command.words(["up 'a"])


def test_a_path_in_the_place_of_a_backend_is_named_as_it_was_typed() -> None:
    with pytest.raises(ToolError, match=re.escape("TO: expected a URL, got a path; did you mean file:///srv/x?")):
        backend.checked("/srv/x", "TO")


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("hosts.hbu.postgres.main.dsn", "the stack file has no mapping hosts.hbu; did you mean hub?"),
        ("hosts.hub.postgres.main.dsn", "the stack file has no mapping hosts.hub.postgres."),
        ("hub.backup.password", "the stack file has no mapping hub.backup."),
        ("hub.backup.pasword", "not the path of a secret, nothing was changed; did you mean hub.backup.password?"),
    ],
)
def test_a_secret_without_its_section_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, sentence: str
) -> None:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(json.dumps({"config": {"fleetwatch:hub": {"local": {}}, "fleetwatch:hosts": {"hub": {}}}}))
    stack = Stack("local", file, {})
    with pytest.raises(ToolError, match=re.escape(f"KEY={key}: {sentence}")):
        stack_secrets.set_from_input(stack, key)
    assert not stack.working.exists()


def test_an_engine_that_does_not_answer_is_no_missing_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = HubDocker.__new__(HubDocker)
    hub.host, hub._docker = "hub", ["docker"]
    reasons = ["Cannot connect to the Docker daemon", "lookup hub: no such host"]
    answers = iter(["Error: no such volume: x", *reasons])

    def failed(argv: list[str], **_: str | bytes | bool) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(argv, 1, b"", next(answers).encode())

    monkeypatch.setattr(subprocess, "run", failed)
    assert hub.inspected("volume", "inspect", "x") is None
    for reason in reasons:
        with pytest.raises(ToolError, match=reason):
            hub.inspected("volume", "inspect", "x")
