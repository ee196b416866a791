"""The one stack that the tests named test_story_* take from its first `up` to its last `down`, and how they look at it.

Looks at data the way a person does: through Caddy's HTTPS door and Grafana's data sources. The name in the certificate
is asked for at 127.0.0.1, because not every system resolves *.localhost.
"""

from __future__ import annotations

import http.server
import json
import secrets
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.integration import assistant
from tests.integration.rig import Rig, docker, rig
from tools import setup

NAME = assistant.NAME
SAYS = """
n=0
while :; do
    n=$((n + 1))
    echo "level=warn token={token} n=$n"
    echo "level=debug token={token} not wanted by level"
    echo "level=trace token={token} not among the kept levels"
    echo "level=info token={token} health-check: not wanted by pattern"
    echo "token={token} without the kept word"
    sleep 1
done
"""


class Sink(http.server.ThreadingHTTPServer):
    """Takes what Alertmanager posts, or is posted. Listens on a Docker network's gateway, where containers reach it."""

    daemon_threads = True

    def __init__(self, network: str) -> None:
        gateway = docker("network", "inspect", network, "-f", "{{(index .IPAM.Config 0).Gateway}}").strip()
        super().__init__((gateway, 0), _Post)
        self.token = secrets.token_hex(8)
        self.url = f"http://{gateway}:{self.server_port}/{self.token}"
        self.got: list[Any] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Post(http.server.BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith(f"/{self.server.token}"):
            self.server.got.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Story:
    """The stack, and what the tests remember of it."""

    def __init__(self, made: Rig, images: Mapping[str, str], sink: Sink) -> None:
        self.rig, self.images, self.sink = made, images, sink
        self.token = f"t{secrets.token_hex(8)}"
        self.begun = time.time()
        self.home = made.home / "state" / made.name
        self.files = self.home / "files" / "hub"
        self.project = self.files / "edge"
        # A small file system of its own, where this machine lets one be mounted.
        self.disk = made.home.with_name(f"{made.home.name}-disk")
        self.disk_refused = _mount(self.disk, made.home / "disk.img")
        self.database = f"p{secrets.token_hex(8)}"  # the part of the database's password that is looked for
        self.first_up, self.arrived = "", 0.0  # what the first `up` said, and when it ended

    def file(self, role: str, kind: str, name: str) -> str:
        """The text of a file of the edge."""
        return (self.project / role / kind / name).read_text()

    def talker(self, suffix: str, project: str, token: str) -> str:
        """A container that writes five kinds of lines every second; its name."""
        name = self.rig.container(suffix)
        image = docker("image", "inspect", "-f", "{{.Id}}", self.images["test-app"]).strip()
        labels = {"com.docker.compose.project": project, "com.docker.compose.service": suffix}
        labels["com.docker.compose.image"] = image  # as Compose has it
        flags = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
        options = ("--name", name, *flags, "--entrypoint", "sh")
        self.rig.run(self.images["test-app"], "-c", SAYS.format(token=token), options=options)
        return name

    def tls(self) -> ssl.SSLContext:
        """Trusts Caddy's own CA and nothing else."""
        return assistant.tls(self.rig)

    def https(self, method: str, path: str, auth: tuple[str, str] | None = None, **more: Any) -> httpx.Response:
        """One request through the HTTPS door, by its name."""
        return assistant.https(self.rig, method, path, auth, **more)

    def plain(self, method: str, door: str, path: str, **more: Any) -> httpx.Response:
        """One request to one of the HTTP ports: http, push or query."""
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.request(method, f"http://127.0.0.1:{self.rig.ports[door]}{path}", **more)

    def admin(self) -> tuple[str, str]:
        """Grafana's admin, by `make password`."""
        done = self.rig.tool("password")
        assert done.returncode == 0, done.stdout
        return "admin", done.stdout.strip().splitlines()[-1]

    def pusher(self) -> tuple[str, str]:
        """The generated user of the hub's own edge."""
        return "hub", self.file("agent", "secrets", "password").strip()

    def scraper(self) -> tuple[str, str]:
        """The generated user of the hub's own edge with which its agent reads the node exporter."""
        return "agent", self.file("agent", "secrets", "scrape-password").strip()

    def grafana(self, path: str, **query: str) -> Any:
        """The JSON of a GET below /api, as the admin."""
        if not hasattr(self, "_admin"):
            self._admin = self.admin()
        got = self.https("GET", f"/api/{path}", self._admin, params=query)
        assert got.status_code == 200, f"/api/{path}: {got.status_code} {got.text[:300]}"
        return got.json()

    def metrics(self, query: str) -> list[dict[str, Any]]:
        """An instant query through the data source `prometheus`."""
        got = self.grafana("datasources/proxy/uid/prometheus/api/v1/query", query=query)
        found: list[dict[str, Any]] = got["data"]["result"]
        return found

    def lines(self, query: str, since: float | None = None) -> list[dict[str, Any]]:
        """Streams of a log query through the data source `loki`, from `since` (the story's beginning) on."""
        start = str(int((since or self.begun) * 1e9))
        got = self.grafana("datasources/proxy/uid/loki/loki/api/v1/query_range", query=query, start=start, limit="500")
        found: list[dict[str, Any]] = got["data"]["result"]
        return found

    def stamps(self, series: str, window: str) -> list[float]:
        """Times of the raw samples of the one series that matches."""
        found = self.rig.hub.metrics(f"{series}[{window}]")
        assert len(found) == 1, f"expected one series of {series}, got {found}"
        return [float(at) for at, _ in found[0]["values"]]

    def planned(self) -> dict[str, str]:
        """What a preview would do to which resource, by name; nothing for what stays the same."""
        done = self.rig.tool("pulumi", "preview", "--json")
        assert done.returncode == 0, done.stdout[-6000:]
        steps = json.loads(done.stdout[done.stdout.index("{") :])["steps"]
        return {step["urn"].split("::")[-1]: step["op"] for step in steps if step["op"] != "same"}

    def our_containers(self) -> list[str]:
        """Names of the stack's containers, running or not."""
        label = f"label=fleetwatch.stack={self.rig.prefix}"
        return sorted(docker("ps", "-a", "--format", "{{.Names}}", "--filter", label).split())


def _mount(where: Path, image: Path) -> str:
    """Mount a file system of 64 MB there, before the first `up`: containers see what is mounted when they start. The
    answer is why that is refused, if it is. Beside the stack's folder, which the exporter's user may not pass; it goes
    with that."""
    with image.open("wb") as file:
        file.truncate(64 << 20)
    where.mkdir()
    for words in (("mkfs.ext4", "-q", str(image)), ("mount", "-o", "loop", str(image), str(where))):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            where.rmdir()
            return f"no small disk to fill on this machine: {done.stderr.strip()}"
    return ""


def settings(home: str) -> dict[str, Any]:
    """Of the first `up`: log filters and a file source, and a receiver whose address is a secret."""
    kept = [{"level": level} for level in ("info", "warn", "error", "fatal")]
    logs = {
        "projects": ["shop"],
        "drop": [{"level": "debug"}, {"pattern": "health-check"}],
        "keep": [*kept, {"pattern": "(?i)level|lvl"}],
        "files": {
            "invoices": {
                "path": f"{home}/logs/*.json",
                "format": "json",
                "level_key": "severity",
                "job": "billing",
                "labels": {"log_source": "invoices"},
            }
        },
    }
    alerts = {"receivers": {"sink": {"webhook": {}}}, "watchdog": "sink"}
    return {"hub": {"alerts": alerts}, "hosts": {"hub": {"logs": logs}}}


@contextmanager
def told(chain: setup.ToolChain) -> Iterator[Story]:
    """A stack that is up."""
    with rig("story") as made:
        made.change(settings(str(made.home)))
        (made.home / "logs").mkdir()
        story = Story(made, {image.key: image.ref for image in chain.images}, Sink(made.network("sink")))
        done = made.tool("secret", "hub.alerts.receivers.sink.webhook.url", stdin=story.sink.url)
        assert done.returncode == 0, done.stdout
        story.first_up, story.arrived = made.up(), time.time()
        if not story.disk_refused:
            (story.disk / "big").write_bytes(bytes(48 << 20))
        try:
            yield story
        finally:
            story.sink.shutdown()
