"""The assistant alone, by `ask/compose.yaml` as docs/ask.md describes it, beside a Prometheus that scrapes itself.

Real: the file, the assistant's image from the checkout, PostgreSQL with pgvector, Valkey and Prometheus as the tool
chain has them. Not tried here: `--build`, which gets its base image and packages from the internet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.rig import docker, eventually, free_ports
from tools import setup
from tools.paths import CHECKOUT

PROJECT = "fleetwatch-test-ask-dev"


class Alone:
    """The project of Docker Compose, under a name and a port of the tests' own."""

    def __init__(self, images: dict[str, str], folder: Path) -> None:
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}/ask"
        self.catalogue = folder / "catalogue.json"
        more = {
            "secrets": {"image": images["pgvector"]},
            "database": {"image": images["pgvector"]},
            "cache": {"image": images["valkey"]},
            "metrics": {
                "image": images["prometheus"],
                "networks": ["outside"],
                "configs": [{"source": "metrics", "target": "/etc/prometheus/prometheus.yml"}],
                "command": ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/tmp"],
            },
        }
        scrape = {
            "job_name": "shop",
            "scrape_interval": "1s",
            "static_configs": [{"targets": ["127.0.0.1:9090"]}],
        }
        content = json.dumps({"scrape_configs": [scrape]})
        self.override = folder / "override.json"
        self.override.write_text(json.dumps({"services": more, "configs": {"metrics": {"content": content}}}))
        given = {"ASK_CATALOGUE": str(self.catalogue), "ASK_PORT": str(port), "ASK_IMAGE": images["ask"]}
        self.env = {**os.environ, **given, "PROMETHEUS_URL": "http://metrics:9090"}

    def compose(self, *words: str) -> str:
        """Output of a command; AssertionError with its messages where it fails."""
        files = ("-f", str(CHECKOUT / "ask" / "compose.yaml"), "-f", str(self.override))
        argv = ["docker", "compose", "-p", PROJECT, *files, *words]
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{words}: {done.stderr[-3000:]}"
        return done.stdout

    def up(self) -> None:
        """All services, until they are healthy."""
        self.compose("up", "--no-build", "--pull", "never", "--detach", "--wait")

    def sign_in(self) -> dict[str, str]:
        """Headers of the first administrator, whose password is read as docs/ask.md describes it."""
        password = self.compose("exec", "-T", "ask", "cat", "/secrets/admin").strip()
        got = httpx.post(f"{self.url}/auth/login", json={"name": "admin", "password": password}, trust_env=False)
        assert got.status_code == 200, got.text
        return {"Authorization": f"Bearer {got.json()['access_token']}"}

    def left(self) -> str:
        """Containers, networks and volumes of the project."""
        mine = f"label=com.docker.compose.project={PROJECT}"
        return "".join(docker(kind, "ls", "-q", "--filter", mine) for kind in ("network", "volume")) + docker(
            "ps", "-aq", "--filter", mine
        )


@pytest.fixture(scope="module")
def alone(chain: setup.ToolChain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    made = Alone({image.key: image.ref for image in chain.images}, tmp_path_factory.mktemp("ask"))
    argv = [sys.executable, "-m", "tools", "--stack", "local", "ask-catalogue"]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    made.catalogue.write_text(done.stdout)
    try:
        made.up()
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5")
        assert made.left() == ""


def test_file_starts_what_the_assistant_needs(alone: Alone) -> None:
    got = httpx.get(f"{alone.url}/api/v1/health", trust_env=False, timeout=30)
    found = got.json()
    states = {name: one["status"] for name, one in found["components"].items()}
    servers = {"database": "healthy", "valkey": "healthy", "prometheus": "healthy"}
    assert (got.status_code, found["status"]) == (200, "degraded"), "there is no Loki, and it says so"
    assert states == servers | {"loki": "unhealthy", "llm": "none", "embeddings": "none"}


def test_metric_of_an_app_is_answered_after_a_discovery(alone: Alone) -> None:
    with httpx.Client(headers=alone.sign_in(), trust_env=False, timeout=30) as client:

        def answer() -> dict[str, Any]:
            done = client.post(f"{alone.url}/api/v1/admin/discovery/trigger")
            assert done.status_code == 200, done.text
            got = client.post(f"{alone.url}/api/v1/query", json={"question": "prometheus_tsdb_head_series"})
            assert got.json().get("rows"), got.text
            return dict(got.json())

        found = eventually("an answer", answer, 60)
    assert found["status"] == "answered"
    assert "prometheus_tsdb_head_series" in found["query"]


def test_passwords_and_accounts_outlive_its_containers(alone: Alone) -> None:
    before = alone.compose("exec", "-T", "ask", "cat", "/secrets/admin")
    alone.compose("down", "--timeout", "5")
    alone.up()
    assert alone.compose("exec", "-T", "ask", "cat", "/secrets/admin") == before
    alone.sign_in()
