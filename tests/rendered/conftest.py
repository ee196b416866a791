"""The components' own tools, as the rendered tests call them.

A tool comes from the offline build cache, else from the vendor's image when Docker has it. Nothing is built here:
`make check` does that first. A missing tool fails its tests, it never skips them.
"""

from __future__ import annotations

import functools
import os
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from configs.settings import Settings
from tests.fixtures.programs import Program, Tool
from tests.fixtures.stackfiles import CASES
from tests.integration.rig import docker, eventually
from tests.rendered.caddy_street import BEHIND, CA_ROOT, CHALLENGES, PUSHER, WORLD, Street
from tools import images, test_programs


@functools.cache
def _argv(name: str) -> tuple[str, ...]:
    argv = test_programs.present(name)
    if argv is None:
        pytest.fail(f"{name} is neither built nor in Docker: run `make check`, which builds it", pytrace=False)
    return argv


def program(name: str, *folders: Path, env: Iterable[str] = ()) -> list[str]:
    """The command line of a program that serves on this machine's loopback. It sees these folders, and of the
    environment the variables that are named."""
    argv = list(_argv(name))
    if argv[0] == "docker":
        argv[argv.index("none")] = "host"
        argv[3:3] = [
            *(word for folder in folders for word in ("-v", f"{folder}:{folder}")),
            *(f"-e{one}" for one in env),
        ]
    return argv


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """`tool("promtool")("check", "config", path)`: the finished process, not checked; it sees tmp_path only."""

    def named(name: str) -> Program:
        argv = list(_argv(name))
        if argv[0] == "docker":
            argv[3:3] = ["-v", f"{tmp_path}:{tmp_path}"]

        def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
            env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "xdg")}
            command = [*argv, *map(str, arguments)]
            return subprocess.run(
                command, capture_output=True, text=True, timeout=60, check=False, env=env, cwd=tmp_path
            )

        return call

    return named


@pytest.fixture(params=sorted(CASES))
def settings(request: pytest.FixtureRequest) -> Settings:
    """Each stack file of the project, and the fixtures."""
    return CASES[request.param]()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    (image,) = images.get(["caddy"])
    name = f"fleetwatch-caddy-{secrets.token_hex(4)}"
    network = docker("network", "create", "--label", f"fleetwatch.test={name}", name).strip()
    made = Street(image.ref, network, tmp_path_factory.mktemp("caddy"), [])
    try:
        made.hashed = docker("run", "--rm", "-i", image.ref, "caddy", "hash-password", stdin=PUSHER[1]).strip()
        yield made
    finally:
        for container in made.made:
            docker("rm", "-f", "-v", container, check=False)
        docker("network", "rm", network, check=False)


@pytest.fixture(scope="module")
def ca(street: Street) -> str:
    """The root certificate of the street's CA; the upstreams have started with it."""
    behind = [f"fleetwatch-{role}" for role in BEHIND.values()]
    world = street.caddy("world", WORLD, *behind, *(f"{kind}.ca.test" for kind in CHALLENGES))
    return eventually("the CA's root", lambda: docker("exec", world, "cat", CA_ROOT), 30)
