"""The state of a stack that runs: moved to another backend and back, locked elsewhere, without its passphrase."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.integration.rig import Rig, rig
from tools import setup
from tools.paths import CHECKOUT

pytestmark = pytest.mark.xdist_group("state")
DSN = "postgresql://watch:hunter22@db:5432/shop"


@pytest.fixture(scope="module")
def stack(chain: setup.ToolChain) -> Iterator[Rig]:
    with rig("state", {}) as made:
        made.up()
        yield made


def _home(made: Rig) -> Path:
    return made.home / "state" / made.name


def _move(made: Rig, to: Path) -> str:
    done = made.tool("move-state", to.as_uri())
    assert done.returncode == 0, done.stdout
    return done.stdout


def _refused(made: Rig, *words: str) -> str:
    done = made.tool(*words)
    assert done.returncode == 1, done.stdout
    assert "Traceback (most recent" not in done.stdout, done.stdout
    return done.stdout


def test_a_state_is_moved_and_nothing_changes(stack: Rig) -> None:
    running, place = stack.started_all(), stack.home / "shared"
    said = _move(stack, place)
    assert re.search(r"Moved [3-9]\d resources from file:///", said), said
    assert list(place.rglob(f"{stack.name}.json")), "the new backend does not have it"
    assert not list((_home(stack) / "backend").rglob(f"{stack.name}.json")), "the old one would be gone on with"
    assert set(stack.preview()) == {"same"}
    assert "password" in stack.tool("pulumi", "stack", "output").stdout
    assert len(stack.tool("password").stdout.strip()) > 10, "secrets are still read after the move"
    assert stack.started_all() == running


def test_what_it_was_is_kept_with_its_secrets_encrypted(stack: Rig) -> None:
    password = stack.tool("password").stdout.strip()
    (kept,) = _home(stack).glob("state-before-move-*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(kept.read_text())["deployment"]["resources"]) > 30
    assert password not in kept.read_text()


def test_a_variable_that_names_another_place_is_refused(stack: Rig) -> None:
    stack.env["PULUMI_BACKEND_URL"] = (stack.home / "elsewhere").as_uri()
    try:
        said = _refused(stack, "up")
    finally:
        del stack.env["PULUMI_BACKEND_URL"]
    assert f"the state of stack {stack.name} is in {(stack.home / 'shared').as_uri()}" in said, said
    assert not (stack.home / "elsewhere").exists()


def test_a_backend_that_has_such_a_stack_is_not_overwritten(stack: Rig) -> None:
    other = stack.home / "taken" / ".pulumi" / "stacks" / "fleetwatch" / f"{stack.name}.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    said = _refused(stack, "move-state", (stack.home / "taken").as_uri())
    assert "it is not overwritten" in said, said
    assert other.read_text() == "{}"
    assert set(stack.preview()) == {"same"}


def test_the_lock_of_another_machine_stops_everything_but_cancel(stack: Rig) -> None:
    place = stack.home / "shared" / ".pulumi" / "locks" / "organization" / "fleetwatch" / stack.name
    place.mkdir(parents=True, exist_ok=True)
    owner = {"pid": 1, "username": "jo", "hostname": "another-desk", "timestamp": "2026-01-02T03:04:05Z"}
    held = place / f"{uuid.uuid4()}.json"
    held.write_text(json.dumps(owner))
    said = _refused(stack, "up")
    assert "in use by another run: jo on another-desk, process 1, since 2026-01-02T03:04:05Z" in said, said
    assert f"make pulumi STACK={stack.name} ARGS=cancel" in said, said
    assert held.exists()
    done = stack.tool("pulumi", "cancel")
    assert done.returncode == 0, done.stdout
    assert not held.exists()
    assert set(stack.preview()) == {"same"}


def test_a_lost_passphrase_is_told_and_the_copy_brings_it_back(stack: Rig) -> None:
    file, copy = _home(stack) / "passphrase", stack.home / "copy-of-passphrase"
    file.rename(copy)
    said = _refused(stack, "up")
    assert f"The passphrase of stack {stack.name} is missing: expected it in {file}" in said, said
    assert not file.exists(), "a new passphrase would hide that the old one is gone"
    copy.rename(file)
    assert set(stack.preview()) == {"same"}


def test_a_state_goes_back_into_its_own_folder(stack: Rig) -> None:
    _move(stack, _home(stack) / "backend")
    assert not (_home(stack) / "backend-url").exists()
    assert set(stack.preview()) == {"same"}


def _on_a_terminal(made: Rig, typed: str, *words: str) -> tuple[int, str]:
    """A command with a terminal, on which each line is typed as it is asked for; (exit code, what the screen shows)."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        made.argv(*words), cwd=CHECKOUT, env=made.env, stdin=terminal, stdout=terminal, stderr=terminal,
        start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    seen, end, asked = b"", time.monotonic() + 120, False
    while time.monotonic() < end:
        if select.select([controller], [], [], 0.2)[0]:
            try:
                seen += os.read(controller, 4096)
            except OSError:  # the other end is closed
                break
        if not asked and b"(empty: later): " in seen:
            os.write(controller, typed.encode() + b"\n")
            asked = True
    os.close(controller)
    return process.wait(timeout=60), seen.decode()


def test_env_asks_for_a_secret_without_showing_it(stack: Rig) -> None:
    stack.change({"hosts": {"hub": {"postgres": {"main": {}}}}})
    code, screen = _on_a_terminal(stack, DSN, "env", stack.name)
    assert "hosts.hub.postgres.main.dsn (empty: later): " in screen, screen
    assert "set, encrypted" in screen, screen
    assert code == 0, screen
    assert "hunter22" not in screen
    kept = [file for file in (stack.home / "state").rglob("*") if file.is_file() and b"hunter22" in file.read_bytes()]
    assert not kept, f"the secret stands in clear in {kept}"
    stack.change({"hosts": {"hub": {"postgres": None}}})


def test_another_machine_has_the_secrets_from_the_file_beside_the_stack_file(stack: Rig, tmp_path: Path) -> None:
    """A runner's clone: the address of the state, the passphrase, and what is committed."""
    stack.change({"hosts": {"hub": {"postgres": {"main": {}}}}})
    committed = stack.home / f"secrets.{stack.name}.yaml"
    assert "hunter22" not in committed.read_text()
    assert set(yaml.safe_load(committed.read_text())) == {"encryptionsalt", "config"}
    mine, passphrase = stack.env, (_home(stack) / "passphrase").read_text()
    _move(stack, stack.home / "for-all")
    url = (stack.home / "for-all").as_uri()
    asked = ("pulumi", "config", "get", "--path", "fleetwatch:hosts.hub.postgres.main.dsn")
    try:
        there = {**mine, "PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": passphrase}
        stack.env = {**there, "FLEETWATCH_STATE": str(tmp_path / "right")}
        assert stack.tool(*asked).stdout.strip().splitlines()[-1] == DSN
        stack.env = {**there, "FLEETWATCH_STATE": str(tmp_path / "wrong"), "PULUMI_CONFIG_PASSPHRASE": "another"}
        done = stack.tool(*asked)
        assert done.returncode != 0
        assert "passphrase" in done.stdout, done.stdout
    finally:
        stack.env = mine
    _move(stack, _home(stack) / "backend")
    stack.change({"hosts": {"hub": {"postgres": None}}})


def test_down_takes_the_state_out_of_a_shared_place_too(stack: Rig) -> None:
    place = stack.home / "shared-again"
    _move(stack, place)
    done = stack.tool("down", "--yes")
    assert done.returncode == 0, done.stdout
    assert not list(place.rglob(f"{stack.name}.json")), "a stack without its passphrase would be in the way of the next"
    assert stack.file.exists(), "the user's file is no part of the state"
    assert stack.left() == {"container": [], "network": [], "volume": []}
