"""A pull request on this machine, from checkout to comment, by the commands that the workflows call."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.integration.previews import Previewed
from tools.comment import page
from tools.paths import CHECKOUT, VENV

pytestmark = pytest.mark.xdist_group("preview")


def _git(folder: Path, *words: str) -> None:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *names, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def clone(stack: Previewed, tmp_path: Path) -> Path:
    """A clone of a repository whose main has this checkout's files and the stack file of the running stack."""
    origin, made = tmp_path / "origin", tmp_path / "clone"
    listed = subprocess.run(
        ["git", "-C", str(CHECKOUT), "ls-files", "-co", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (CHECKOUT / name).is_file():
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, origin / name)
    shutil.copy(stack.rig.file, origin / "stacks" / stack.rig.file.name)
    _git(origin, "init", "-q", "-b", "main")
    _git(origin, "add", "-A")
    _git(origin, "commit", "-qm", "main")
    _git(tmp_path, "clone", "-q", str(origin), str(made))
    (made / ".venv").mkdir()
    for part in VENV.iterdir():
        if part.name != "stand-ins":  # those are scripts that name their checkout
            (made / ".venv" / part.name).symlink_to(part)
    return made


def test_a_pull_request_from_checkout_to_comment(stack: Previewed, clone: Path) -> None:
    def tool(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [str(clone / ".venv" / "bin" / "python"), "-m", "tools", *words]
        return subprocess.run(argv, cwd=clone, env=stack.rig.env, capture_output=True, text=True, check=False)

    name = stack.rig.name
    _git(clone, "switch", "-qc", "faster")
    place = clone / "stacks" / stack.rig.file.name
    content = yaml.safe_load(place.read_text())
    content["config"]["fleetwatch:hosts"]["hub"]["scrape"] = {"node": "5s"}
    place.write_text(yaml.safe_dump(content))
    _git(clone, "commit", "-qam", "The node exporter every five seconds")
    told = tool("affected", "origin/main")
    assert json.loads(told.stdout)["stacks"] == [name], told.stdout + told.stderr
    for stack_name in json.loads(told.stdout)["stacks"]:
        recorded = tool("--stack", stack_name, "record", f"preview/{stack_name}.preview.json")
        assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    made = tool("comment", "preview", "--affected", told.stdout, "--out", "comment.md", "--whole", "whole.md")
    assert made.returncode == 0, made.stdout + made.stderr
    text = (clone / "comment.md").read_text()
    assert text.startswith(page.MARK)
    assert f"### Stack `{name}`" in text
    assert "+  scrape_interval: 5s" in text
    assert "| `hub` |  | 2 |  |  |" in text, "the edge's project, and the gate"
    assert "| containers of | reloaded |\n| --- | --- |\n| `hub` | `agent` |" in text
    assert (clone / "whole.md").read_text() == text
    assert not [secret for secret in stack.planted if secret in text + recorded.stdout + recorded.stderr]
    missing = tool("comment", "nowhere-to-be-found")
    assert (missing.returncode, "Traceback" in missing.stderr) == (1, False)
    assert sorted(os.listdir(clone / "preview")) == [f"{name}.policy.json", f"{name}.preview.json"]
