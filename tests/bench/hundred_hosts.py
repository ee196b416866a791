"""`python -m tests.bench.hundred_hosts PORT`: Prometheus and Loki, played over HTTP with the seed's series.

The fleet has a hundred hosts. Every answer has the size that such a fleet gives: one series for each host that a
selector allows, and a point for each step of a range.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ask import promql
from tests.ask import seed

HOSTS = 100
OF_SEED = ("web-1", "db-1", "vps-1")  # each host has the series of one of these


@dataclass(frozen=True)
class Fleet:
    """Series by the metric's name."""

    series: dict[str, list[dict[str, str]]]

    def matching(self, name: str, host: str) -> list[dict[str, str]]:
        """The series of a metric, of one host if it is given."""
        return [one for one in self.series.get(name, ()) if not host or one.get("host", "hub") == host]

    def values(self, label: str) -> list[str]:
        """Of a label."""
        if label == "__name__":
            return sorted(self.series)
        return sorted({one[label] for several in self.series.values() for one in several if label in one})


@functools.cache
def fleet() -> Fleet:
    """The hub's series, and those of a hundred hosts."""
    found: dict[str, list[dict[str, str]]] = {}
    for one in seed.series():
        host = one.labels.get("host", "hub")
        copies = [f"host-{number}" for number in range(HOSTS) if OF_SEED[number % len(OF_SEED)] == host]
        for name in [host] if host == "hub" else copies:
            found.setdefault(one.name, []).append({"__name__": one.name, **one.labels, "host": name})
    return Fleet(found)


@functools.lru_cache(maxsize=4096)
def _selected(query: str) -> tuple[tuple[str, str], ...]:
    """The metric and the host of each selector."""
    found = []
    for one in promql.selectors(promql.parse(query)):
        host = next((matcher.value for matcher in one.matchers if matcher.label == "host" and matcher.op == "="), "")
        found += [(name, host) for name in sorted(one.names)]
    return tuple(found)


def data(path: str, given: dict[str, str]) -> Any:
    """The `data` of an answer."""
    parts = path.split("/")
    if path.endswith("/values"):
        label = parts[-2]
        return fleet().values(label) if "loki" not in parts or label in {"host", "container", "job"} else []
    if path.endswith("/series"):
        match = given["match[]"]
        if match.startswith("{"):
            return [one for several in fleet().series.values() for one in several if one.get("job") == "shop"]
        name, host = _selected(match)[0]
        return fleet().matching(name, host)[: int(given["limit"])]
    if "loki" in parts or "vector(1)" in given["query"]:
        return {"resultType": "vector", "result": []}
    name, host = next(iter(_selected(given["query"])), ("up", ""))
    hosts = sorted({one.get("host", "hub") for one in fleet().matching(name, host)})
    if path.endswith("/query"):
        result = [{"metric": {"host": one}, "value": [0, "0.42"]} for one in hosts]
        return {"resultType": "vector", "result": result}
    start, end, step = (float(given[one]) for one in ("start", "end", "step"))
    times = [start + step * number for number in range(int((end - start) / step) + 1)]
    values = [[at, "0.42"] for at in times]
    return {"resultType": "matrix", "result": [{"metric": {"host": one}, "values": values} for one in hosts]}


class Handler(BaseHTTPRequestHandler):
    """GET requests of the query API."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20  # head and body in one packet: two would wait for each other's acknowledgement

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(address.query).items()}
        document: dict[str, Any] = {"bytes": 1000}
        if not address.path.endswith("/stats"):
            document = {"status": "success", "data": data(address.path, given)}
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def names_of_hosts() -> list[str]:
    """As questions name them."""
    return [one for one in fleet().values("host") if re.fullmatch(r"host-\d+", one)]


if __name__ == "__main__":
    fleet()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
