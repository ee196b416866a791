"""Start: read the files, say what this is, listen. Takes sql_exporter's own flags, of which it covers these."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any

from . import BANNER
from .collect import Exporter, exposition
from .config import ConfigProblem, load

LEVELS = ("debug", "info", "warn", "error")
FLAGS = {
    "config.file": "sql_exporter.yml",
    "config.check": "",
    "config.target-label": "target",
    "web.listen-address": ":9399",
    "log.level": "info",
}
_lock = threading.Lock()


def log(level: str, msg: str, **fields: str | int | float | bool) -> None:
    """One line on stderr, as sql_exporter writes it."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    pairs = {"time": stamp, "level": level, "msg": msg, **fields}
    line = " ".join(f"{k}={v if k in ('time', 'level') else json.dumps(str(v))}" for k, v in pairs.items())
    with _lock:
        print(line, file=sys.stderr, flush=True)


def flags(argv: Sequence[str]) -> dict[str, str]:
    """`-name=value` or `--name=value`, like Go's flags; an unknown one ends the program."""
    found = dict(FLAGS)
    for option in argv:
        name, _, value = option.lstrip("-").partition("=")
        if not option.startswith("-") or name not in FLAGS:
            raise ConfigProblem(f"not covered by the stand-in: {option}; expected some of -{' -'.join(FLAGS)}")
        found[name] = value or "true"
    return found


class Server(ThreadingHTTPServer):
    """/metrics and /healthz."""

    daemon_threads = True

    def __init__(self, address: str, exporter: Exporter) -> None:
        host, _, port = address.rpartition(":")
        self.exporter = exporter
        super().__init__((host, int(port)), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 60

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._send(200, "OK\n")
        elif path == "/metrics":
            try:
                wanted = float(self.headers.get("X-Prometheus-Scrape-Timeout-Seconds") or "nan")
            except ValueError:
                wanted = float("nan")
            samples = self.server.exporter.scrape(None if wanted != wanted else wanted)
            self._send(200, exposition(samples))
        else:
            self._send(404, BANNER + "\n")

    def _send(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _stop(signum: int, frame: FrameType | None) -> None:
    os._exit(0)  # at once: nothing is kept that would need saving


def main(argv: Sequence[str]) -> int:
    """Serve until a signal, or check the files; 1 if they cannot be used."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        given = flags(argv)
        config = load(given["config.file"])
        if given["config.check"]:
            log("INFO", "Configuration check successful")
            return 0
        log("WARN", BANNER)
        quiet = given["log.level"].lower()
        least = LEVELS.index(quiet) if quiet in LEVELS else 1
        exporter = Exporter(
            config,
            given["config.target-label"],
            lambda level, msg, **fields: log(level, msg, **fields) if LEVELS.index(level.lower()) >= least else None,
        )
        Server(given["web.listen-address"], exporter).serve_forever(poll_interval=5)
    except ConfigProblem as problem:
        log("ERROR", "Configuration check failed", error=str(problem))
    except OSError as error:
        log("ERROR", "Error starting web server", error=error.strerror or str(error))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
