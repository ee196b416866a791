"""A replica of the service as a process on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tools.net import free_port
from tools.paths import CHECKOUT

JSON = {"Content-Type": "application/json"}


class Process:
    """A replica as a process on loopback. Its output goes to `log`, or to a pipe that is read at the end."""

    def __init__(self, path: Path, log: Path | None = None) -> None:
        self.port, self.internal = free_port(), free_port()
        argv = [sys.executable, "-m", "ask.service", "--config", str(path), "--address", "127.0.0.1"]
        argv += ["--port", str(self.port), "--metrics-port", str(self.internal)]
        with log.open("w") if log else contextlib.nullcontext(subprocess.PIPE) as out:
            self.running = subprocess.Popen(argv, cwd=CHECKOUT, stdout=out, stderr=subprocess.STDOUT, text=True)

    def send(
        self, path: str, body: object = None, headers: dict[str, str] | None = None, internal: bool = False
    ) -> Any:
        """Status and text of a response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.internal if internal else self.port, timeout=60)
        data = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, data, {**JSON, **(headers or {})})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    def ready(self) -> None:
        """Wait until it has discovered."""
        deadline = time.monotonic() + 60
        while True:
            try:
                if json.loads(self.send("/ask/api/v1/health")[1])["discovered_at"]:
                    return
            except OSError:
                pass
            if self.running.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"not ready: {self.running.communicate(timeout=5)[0]}")
            time.sleep(0.2)

    def ask(self, question: str, headers: dict[str, str]) -> tuple[int, Any]:
        """Status and answer."""
        status, text = self.send("/ask/api/v1/query", {"question": question}, headers)
        return status, json.loads(text)

    def end(self) -> None:
        """Kill it."""
        self.running.kill()
        self.running.wait(timeout=30)
