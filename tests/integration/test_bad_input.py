"""Bad input through the tool: a clear sentence, an exit code that is not 0, nothing made, the next run not tripped."""

from __future__ import annotations

import copy
import datetime
import json
import os
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.rig import Rig, rig
from tools import setup

pytestmark = pytest.mark.xdist_group("bad-input")
NOTHING: dict[str, list[str]] = {"container": [], "network": [], "volume": []}
TOKEN = "T0000-this-is-a-secret"

# Every mistake of one stack file, with what is said about it: the path, and what was expected.
MISTAKES: dict[str, Any] = {
    "hub": {"colour": "blue", "ports": {"push": 18481, "http": 18481}, "retention": {"metrics_size": "900TB"}},
    "hosts": {
        "hub": {
            "logs": {"journal": "yes please"},
            "postgres": {"main": {}},
            "apps": {"shop": {"target": "http://shop"}},
            "networks": ["no-such-network"],
        },
        "Web_1": {"local": {"docker": "unix:///var/run/another.sock"}},
    },
}
SENTENCES = (
    r"hub\.colour: unknown key, expected one of .*\bports\b",
    r"hub\.ports: expected four different ports, but http and push are both 18481",
    r"hub\.retention\.metrics_size: expected at most \d+GB .*got 900TB",
    r"hosts\.hub\.logs\.journal: expected true or false, got 'yes please'",
    r"hosts\.hub\.postgres\.main\.dsn: missing, this key is required",
    r"hosts\.hub\.apps\.shop\.target: expected host:port",
    r"hosts\.hub\.networks\.0: expected a Docker network of this machine .*got 'no-such-network'",
    r"hosts\.Web_1: expected a DNS label",
    r"hosts\.Web_1: expected no host besides `hub`",
)


@pytest.fixture(scope="module")
def stack(chain: setup.ToolChain) -> Iterator[Rig]:
    with rig("badinput", {}) as made:
        yield made


@pytest.fixture
def good(stack: Rig) -> Iterator[Rig]:
    """The stack with a good file and environment, before and after each test."""
    config, env = copy.deepcopy(stack.config), dict(stack.env)
    stack.write()
    yield stack
    stack.config, stack.env = config, env
    stack.write()


def refused(made: Rig, *words: str) -> str:
    """What `up` (or another command) says as it refuses; nothing is made."""
    done = made.tool(*(words or ("up",)))
    assert done.returncode not in (0, 130), f"was not refused:\n{done.stdout[-3000:]}"
    assert "Traceback (most recent" not in done.stdout, done.stdout[-6000:]
    assert made.left() == NOTHING, "refused, but something was made"
    return done.stdout


def last_sentence(output: str) -> str:
    """What the tool itself says in the end."""
    found = re.findall(r"^fleetwatch: (.*(?:\n  - .*)*)", output, re.MULTILINE)
    assert len(found) == 1, f"expected one sentence of the tool, got {found}; the output:\n{output[-3000:]}"
    return str(found[0])


def home(made: Rig) -> Path:
    """Where this stack's state is."""
    return made.home / "state" / made.name


def preview_works(made: Rig) -> None:
    changes = made.preview()
    assert changes.get("create", 0) > 15, f"a preview of a stack that is not there plans {changes}"


def lock(made: Rig, pid: int) -> Path:
    """A lock as the engine writes it."""
    preview_works(made)  # makes the stack and with it the folder of the state
    place = home(made) / "backend" / ".pulumi" / "locks" / "organization" / "fleetwatch" / made.name
    place.mkdir(parents=True, exist_ok=True)
    owner = {
        "pid": pid, "username": "somebody", "hostname": socket.gethostname(),
        "timestamp": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc).isoformat(),
    }  # fmt: skip
    file = place / f"{uuid.uuid4()}.json"
    file.write_text(json.dumps(owner))
    return file


def test_all_mistakes_of_a_file_are_told_at_once(good: Rig) -> None:
    good.change(MISTAKES)
    output = refused(good)
    for sentence in SENTENCES:
        where = re.escape(f"({good.file})")  # the file that was given, as it was given
        assert re.search(f"{sentence}.*{where}", output), f"not said: {sentence}\n{output[-4000:]}"
    count = re.search(r"(\d+) problems in the settings, nothing was changed", output)
    assert count, output[-4000:]
    assert int(count[1]) == len(SENTENCES), f"one mistake is told twice, or one that is none:\n{output[-4000:]}"


@pytest.mark.parametrize("port", ["https", "http", "push", "query"])
def test_a_port_in_use_is_named(good: Rig, port: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", good.ports[port]))
        taken.listen()
        output = refused(good)
    assert f"hub.ports.{port}: expected a free port, {good.ports[port]} is in use by another program" in output, output


def test_a_file_that_is_no_yaml_is_told_with_the_line(good: Rig) -> None:
    good.file.write_text("config:\n  fleetwatch:hub:\n    local: {}\n   ports: {https: 1}\n")
    said = last_sentence(refused(good))
    assert re.search(re.escape(str(good.file)) + r", line 4, column \d+: expected YAML", said), said


@pytest.mark.parametrize(("content", "expected"), [("- a list\n", "expected a mapping"), (None, "no such stack file")])
def test_a_file_that_is_no_stack_file_is_told(good: Rig, content: str | None, expected: str) -> None:
    if content is None:
        good.file.unlink()
    else:
        good.file.write_text(content)
    said = last_sentence(refused(good))
    assert str(good.file) in said, said
    assert expected in said, said


def secrets_in_clear() -> list[tuple[str, Mapping[str, Any]]]:
    dsn = f"postgresql://user:{TOKEN}@db:5432/shop"
    hook = f"https://hooks.example.com/{TOKEN}"
    oidc = {"client_id": "id", "client_secret": TOKEN, "allowed_domains": ["example.com"]}
    return [
        ("hosts.hub.postgres.main.dsn", {"hosts": {"hub": {"postgres": {"main": {"dsn": dsn}}}}}),
        ("hub.alerts.receivers.ops.slack.url", {"hub": {"alerts": {"receivers": {"ops": {"slack": {"url": hook}}}}}}),
        ("hub.grafana.auth.google.client_secret", {"hub": {"grafana": {"auth": {"google": oidc}}}}),
    ]


@pytest.mark.parametrize(("path", "change"), secrets_in_clear(), ids=lambda part: part if isinstance(part, str) else "")
def test_a_secret_in_clear_is_refused_and_not_shown(good: Rig, path: str, change: Mapping[str, Any]) -> None:
    good.change(change)
    output = refused(good)
    said = last_sentence(output)
    assert "secrets are in clear text" in said, said
    assert f"make secret STACK={good.name} KEY={path}" in said, said
    assert TOKEN not in output, "the secret is shown"
    kept = [file for file in (good.home / "state").rglob("*") if file.is_file() and TOKEN in file.read_text("latin-1")]
    assert not kept, f"the secret was kept in {kept}"


def test_a_docker_that_does_not_answer_is_told(good: Rig) -> None:
    good.change({"hub": {"local": {"docker": "unix:///nonexistent.sock"}}})
    output = refused(good)
    assert "hub.local.docker: no Docker Engine answers" in output, output
    assert "docs.docker.com/engine/install" in output, "without a way out"


def test_a_docker_host_that_does_not_answer_is_told(good: Rig) -> None:
    good.env["DOCKER_HOST"] = "unix:///nonexistent.sock"
    said = last_sentence(refused(good))
    assert "DOCKER_HOST=unix:///nonexistent.sock does not answer: correct or unset DOCKER_HOST" in said, said


@pytest.mark.parametrize("words", [("up",), ("pulumi", "preview"), ("secret", "digitalocean:token")])
def test_a_wrong_passphrase_is_told(good: Rig, words: tuple[str, ...]) -> None:
    preview_works(good)
    file = home(good) / "passphrase"
    right = file.read_text()
    file.write_text("not the one")
    try:
        done = good.tool(*words, stdin="dop_v1_nothing")
    finally:
        file.write_text(right)
    assert done.returncode == 1, done.stdout
    assert "Traceback (most recent" not in done.stdout, done.stdout
    said = last_sentence(done.stdout)
    assert "The passphrase is not the one that this stack's secrets were encrypted with" in said, said
    assert "`passphrase` of the stack's state" in said, "without a way out"
    assert good.left() == NOTHING


def test_a_state_in_use_says_by_whom_and_since_when(good: Rig) -> None:
    held = lock(good, os.getpid())
    try:
        said = last_sentence(refused(good))
        assert held.exists(), "a living run's lock was taken away"
    finally:
        held.unlink(missing_ok=True)
    for part in ("is in use by another run: somebody on", f"process {os.getpid()}", "since 2026-01-02T03:04:05"):
        assert part in said, said


@pytest.mark.parametrize("reaped", [True, False], ids=["reaped", "zombie"])
def test_the_lock_of_a_dead_run_is_taken_over(good: Rig, reaped: bool) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    held = lock(good, gone.pid)  # takes seconds: by then it has ended
    if reaped:
        gone.wait()
    done = good.tool("pulumi", "preview")
    gone.wait()
    assert done.returncode == 0, done.stdout
    assert f"An earlier run (process {gone.pid}" in done.stdout, done.stdout
    assert "removing its lock" in done.stdout, done.stdout
    assert not held.exists()


def test_commands_that_need_a_running_stack_say_so(good: Rig) -> None:
    for words in (("status",), ("password",)):
        said = last_sentence(refused(good, *words))
        assert "`make up`" in said, said


def test_after_all_of_it_a_good_file_comes_up(good: Rig) -> None:
    good.up()
    assert set(good.preview()) == {"same"}
