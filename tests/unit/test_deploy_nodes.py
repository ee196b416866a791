"""nodes.sh for real: the hosts file with the names of a cluster's nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.deployment import node_hosts
from tests.fixtures.fake_programs import Programs

BEFORE = node_hosts({"a": "10.77.0.2", "b": "10.77.0.3", "c": "10.77.0.4"})
AFTER = node_hosts({"a": "10.77.0.2", "b": "10.77.0.9", "c": "10.77.0.4"})


@pytest.fixture
def host(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def _run(host: Programs, text: str, **more: str) -> str:
    base = host.folder / "base"
    done = host.there("nodes", text, BASE=str(base), FOLDER=str(base / "nodes"), **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_changed_address_is_in_the_same_file(host: Programs) -> None:
    _run(host, BEFORE)
    file = host.folder / "base" / "nodes" / "hosts"
    assert file.read_text() == BEFORE
    inode = file.stat().st_ino
    assert "10.77.0.9 node-b.fleetwatch.internal" in _run(host, AFTER)
    assert (file.read_text(), file.stat().st_ino) == (AFTER, inode), "a mount leads to the file, not to its name"
    assert [one.name for one in file.parent.iterdir()] == ["hosts"]
    assert file.stat().st_mode & 0o777 == 0o644


def test_drift_is_told_and_nothing_is_changed(host: Programs) -> None:
    _run(host, BEFORE)
    assert _run(host, BEFORE, ACTION="drift") == ""
    assert "nodes/hosts: is not what was deployed" in _run(host, AFTER, ACTION="drift")
    assert (host.folder / "base" / "nodes" / "hosts").read_text() == BEFORE
