"""Whether a bucket answers to its key is checked before the hub changes, with new files and with a new key."""

from __future__ import annotations

import re

import pytest

from configs.metrics_store import COMPACT, RECEIVE
from tests.component import program
from tests.fixtures.full import STORAGE, small


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> program.Run:
    return program.run(small(hub={"local": {}, "storage": STORAGE}), monkeypatch)


def _check(made: program.Run, kind: str) -> str:
    script = made.commands[f"hub-{RECEIVE}-{kind}"].script
    (found,) = re.findall(r"^CHECK=(.*)$", script, re.MULTILINE)
    return str(found)


def test_the_day_from_which_lines_are_in_the_bucket_is_recorded(
    made: program.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made.exports["logs_since"] == ("", False), "known to have none"
    moved = {**STORAGE, "logs_since": "2026-12-01"}
    later = program.run(small(hub={"local": {}, "storage": moved}), monkeypatch)
    assert later.exports["logs_since"] == ("2026-12-01", False)


def test_new_files_are_checked_on_the_hubs_network_with_the_key(made: program.Run) -> None:
    check = _check(made, "config")
    assert "--network fleetwatch-hub" in check
    assert "AWS_SHARED_CREDENTIALS_FILE=/run/secrets/fleetwatch/s3" in check
    assert "tools bucket ls --objstore.config-file=/etc/thanos/objstore.yml" in check
    assert '"$next":/etc/thanos:ro' in check
    assert f"{RECEIVE}/secrets" in check


def test_a_new_key_is_checked_with_the_files_that_are_there(made: program.Run) -> None:
    check = _check(made, "secrets")
    assert f"{RECEIVE}/config" in check
    assert '"$next":/run/secrets/fleetwatch:ro' in check
    assert "[ -z " in check, "of a new hub the files come later, and are checked then"


def test_one_part_checks_it_for_all(made: program.Run) -> None:
    scripts = {
        name: one.script for name, one in made.commands.items() if "thanos" in name and "SCRIPT" in str(one.plain())
    }
    online = {name for name, script in scripts.items() if "bucket ls" in script}
    assert online == {f"hub-{RECEIVE}-config", f"hub-{RECEIVE}-secrets"}
    assert f"hub-{COMPACT}-config" in scripts
