"""The hub of a stack, for the time of a move: docker on its host, its containers, and queries inside of them."""

from __future__ import annotations

import json
import subprocess
from urllib.parse import quote

from configs import metrics_store, names
from configs.images import resolve
from configs.settings import Settings
from tools import agent_targets, remote_access
from tools.errors import ToolError
from tools.stack import Stack

URL = f"http://127.0.0.1:{names.PROMETHEUS_PORT}"


class Move:
    """The hub of a stack, for the time of a move. Every error is a ToolError with one sentence."""

    def __init__(self, stack: Stack, settings: Settings) -> None:
        self.prefix = stack.prefix()
        self.outputs = stack.outputs()
        self._docker = agent_targets.docker_on(stack, self.outputs)("hub")
        self.prometheus = resolve(settings.images)["prometheus"]
        self.volume = f"{self.prefix}-{metrics_store.PROMETHEUS}"
        self.mark = ("--label", f"fleetwatch.stack={self.prefix}", "--label", f"fleetwatch.grow={self.prefix}")
        self.source = f"{self.prefix}_grow"

    def docker(self, *words: str) -> str:
        """A docker command on the hub's host; its output."""
        argv = remote_access.with_arguments(self._docker, words)
        done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no output"]
            raise ToolError(f"On the hub, `docker {words[0]}` failed: {lines[-1]}")
        return done.stdout

    def attempt(self, *words: str) -> str | None:
        """The same; None if it fails."""
        try:
            return self.docker(*words)
        except ToolError:
            return None

    def container(self, role: str) -> str:
        return names.container(self.prefix, role)

    def image(self, role: str) -> str:
        return self.docker("inspect", "-f", "{{.Config.Image}}", self.container(role)).strip()

    def query(self, container: str, expression: str, at: float) -> float:
        """The value of a query with one result; 0 without a result."""
        url = f"{URL}/api/v1/query?query={quote(expression)}&time={at:.0f}"
        answer = json.loads(self.docker("exec", container, "timeout", "90", "wget", "-q", "-O", "-", url))
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0
