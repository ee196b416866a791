"""The scan for secrets: a planted one is found and not shown, a known one is not told again, nobody is asked."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import string
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.full import ROOT
from tools import scan

# Made here, so that no file of the repository holds one.
DIGITALOCEAN = "dop_" + "v1_" + secrets.token_hex(32)
PULUMI = "pul-" + secrets.token_hex(20)
AWS = "AKIA" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(16))
KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----"
PLANTED = {
    "stacks/Pulumi.prod.yaml": (f"config:\n  digitalocean:token: {DIGITALOCEAN}\n", "Token of DigitalOcean"),
    "notes.md": (f"log in with {PULUMI}\n", "Token of DigitalOcean, Pulumi or Grafana"),
    "tools/x.py": (f'STATE = "{AWS}"\n', "AWS Access Key"),
    "id_ed25519": (f"{KEY}\nAAAA\n", "Private Key"),
    "docs/x.md": ("postgresql://watch:" + secrets.token_hex(8) + "@db:5432/shop\n", "Basic Auth Credentials"),
    "x.sh": ("GF_ADMIN_" + f"PASSWORD='{secrets.token_hex(8)}'\n", "Secret Keyword"),
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _plant(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_is_found_and_not_shown(repository: Path, name: str) -> None:
    text, kind = PLANTED[name]
    _plant(repository, name, text)
    (line,) = scan.new(scan.files())
    assert line.startswith(f"{name}:")
    assert kind in line
    assert not [word for word in text.split() if len(word) > 15 and word in line], "the finding is shown"


def test_what_is_in_the_baseline_is_not_told_again_and_a_new_one_beside_it_is(repository: Path) -> None:
    first, second = (f"password = '{secrets.token_hex(10)}'\n" for _ in range(2))
    _plant(repository, "a.py", first)
    assert scan.accept() >= 1
    assert scan.new(scan.files()) == []
    _plant(repository, "a.py", "# a line more above it is no new finding\n" + first)
    assert scan.new(scan.files()) == []
    _plant(repository, "a.py", first + second)
    (line,) = scan.new(scan.files())
    assert line.startswith("a.py:2: ")


def test_the_baseline_holds_no_secret_and_no_path_of_a_machine(repository: Path) -> None:
    value = secrets.token_hex(10)
    _plant(repository, "a.py", f"password = '{value}'\n")
    scan.accept()
    text = (repository / scan.BASELINE).read_text()
    assert value not in text
    assert str(repository) not in text
    names = {
        entry["filename"]
        for found in json.loads((ROOT / scan.BASELINE).read_text())["results"].values()
        for entry in found
    }
    assert names
    assert not [name for name in names if name.startswith("/")]


def test_nobody_is_asked_whether_a_secret_is_alive(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a found secret would have been sent away")

    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(socket.socket, "connect", refused)
    _plant(repository, "tools/x.py", PLANTED["tools/x.py"][0])  # one file: looked at in this process
    assert len(scan.new(["tools/x.py"])) == 1


def test_what_was_clean_is_looked_at_again_once_it_changes(repository: Path) -> None:
    marks = repository / ".git" / "marks.json"
    _plant(repository, "a.py", "x = 1\n")
    assert scan.unseen(["a.py"], marks) == ["a.py"]
    scan.remember(["a.py"], marks)
    assert scan.unseen(["a.py"], marks) == []
    _plant(repository, "a.py", PLANTED["tools/x.py"][0])
    assert scan.unseen(["a.py"], marks) == ["a.py"]


def test_the_command_fails_on_a_planted_secret(tmp_path: Path) -> None:
    """The whole way, on a copy of the tool in a repository of its own."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("__init__", "__main__", "cli", "errors", "paths", "progress", "scan", "scan_tokens", "stack_names"):
        _plant(tmp_path, f"tools/{name}.py", (ROOT / "tools" / f"{name}.py").read_text())
    argv = [sys.executable, "-c", "import sys; from tools.__main__ import main; sys.exit(main(['scan']))"]
    for package in ("machines", "spaces"):
        shutil.copytree(ROOT / "localcloud" / package, tmp_path / "localcloud" / package)
    clean = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert clean.returncode == 0, clean.stderr
    assert "no new secret" in clean.stdout
    _plant(tmp_path, "stacks/Pulumi.prod.yaml", PLANTED["stacks/Pulumi.prod.yaml"][0])
    caught = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert caught.returncode == 1
    assert "stacks/Pulumi.prod.yaml:2: Token of DigitalOcean" in caught.stderr
    assert DIGITALOCEAN not in caught.stderr + caught.stdout
