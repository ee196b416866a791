"""The story, docs: every command that README.md and docs/ mark with `run` does what it says, on the story's stack.

A reader's stack is called local, has the prefix fleetwatch and the default ports; this one has names and ports of its
own, put in their place here. Nothing else of a command is changed.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.fixtures.docs import Block, blocks, commands
from tests.integration.story import Story
from tools.paths import CHECKOUT

pytestmark = pytest.mark.xdist_group("story")
RUN = [block for block in blocks() if block.mark == "run"]


@pytest.mark.parametrize("block", RUN, ids=[block.place for block in RUN])
def test_its_commands_run(block: Block, story: Story) -> None:
    rig = story.rig
    here = {
        "127.0.0.1:8482": f"127.0.0.1:{rig.ports['query']}",
        "127.0.0.1:8443": f"127.0.0.1:{rig.ports['https']}",
        "fleetwatch-": f"{rig.prefix}-",
    }
    env = {**rig.env, "STACK": rig.name, "FILE": str(rig.file)}
    assert block.language == "sh"
    for command in commands(block):
        for theirs, ours in here.items():
            command = command.replace(theirs, ours)
        done = subprocess.run(
            ["bash", "-c", command], cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{block.place}: {command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        assert done.stdout.strip() or done.stderr.strip(), f"{block.place}: {command} says nothing"
