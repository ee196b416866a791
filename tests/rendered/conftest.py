"""The components' own tools, as the rendered tests call them.

A tool comes from the offline build cache, else from the vendor's image when Docker has it. Nothing is built here,
unless FLEETWATCH_BUILD=1 (`make test`) says so, and a tool that cannot be had fails its tests: it never skips them.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from configs import images
from configs.settings import Settings
from tests.fixtures.stackfiles import CASES
from tools import gobuild

# Build key -> image key, and the program in the vendor's image.
_IN_IMAGE = {
    "promtool": ("prometheus", "promtool"),
    "amtool": ("alertmanager", "amtool"),
    "caddy": ("caddy", "caddy"),
    "loki": ("loki", "/usr/bin/loki"),
    "promtail": ("promtail", "/usr/bin/promtail"),
}
Tool = Callable[..., "subprocess.CompletedProcess[str]"]


@functools.cache
def _argv(name: str) -> tuple[str, ...]:
    if gobuild.is_built(name):
        return (str(gobuild.program(name)),)
    if name in _IN_IMAGE:
        image, program = images.pins()[_IN_IMAGE[name][0]], _IN_IMAGE[name][1]
        asked = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
        if asked.returncode == 0:
            return ("docker", "run", "--rm", "--network", "none", "-u", "0", "--entrypoint", program, image)
    if os.environ.get("FLEETWATCH_BUILD") == "1":
        return (str(gobuild.program(name)),)
    pytest.fail(f"{name} is neither built nor in Docker: run `make test` once to set up", pytrace=False)


@pytest.fixture
def tool(tmp_path: Path) -> Callable[[str], Tool]:
    """`tool("promtool")("check", "config", path)`: the finished process, not checked; it sees tmp_path only."""

    def named(name: str) -> Tool:
        argv = list(_argv(name))
        if argv[0] == "docker":
            argv[3:3] = ["-v", f"{tmp_path}:{tmp_path}"]

        def call(*words: object) -> subprocess.CompletedProcess[str]:
            env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "xdg")}
            command = [*argv, *map(str, words)]
            return subprocess.run(
                command, capture_output=True, text=True, timeout=60, check=False, env=env, cwd=tmp_path
            )

        return call

    return named


@pytest.fixture(params=sorted(CASES))
def settings(request: pytest.FixtureRequest) -> Settings:
    """Each stack file of the project, and the fixtures."""
    return CASES[request.param]()
