"""A replica of the service with real servers behind it and a Prometheus and Loki that are played from the seed."""

from __future__ import annotations

import contextlib
import json
import secrets
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import httpx2
import psycopg
import pytest
import yaml
from starlette.testclient import TestClient

from ask.service import app, config, service
from configs.catalogue import render
from tests.ask import offline, seed
from tests.ask.evaluate import settings
from tests.ask.servers import Server

ADMIN = "correct horse battery"


@dataclass
class Stores:
    """Prometheus and Loki: label values and series of the seed, one value for each query. `away` names who is down."""

    away: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    error: str = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.seen.append(path)
        store = "loki" if path.startswith("/loki") else "prometheus"
        if store in self.away:
            raise httpx.ConnectError("refused")
        if self.error:
            return httpx.Response(422, json={"status": "error", "error": self.error})
        return httpx.Response(200, json={"status": "success", "data": self._data(path, request.url.params)})

    def _data(self, path: str, params: httpx.QueryParams) -> Any:
        world = offline.world()
        parts = path.split("/")
        if path.endswith("/values") and store_label(parts) == "__name__":
            return sorted(world.metrics)
        if path.endswith("/values"):
            values = world.logs if "loki" in parts else world.labels
            return sorted(values.get(store_label(parts), ()))
        if path.endswith("/series"):
            if "job!~" in params["match[]"]:
                own = {*offline.engine().catalogue.jobs, None}
                return [
                    {"__name__": one.name, **one.labels} for one in seed.series() if one.labels.get("job") not in own
                ]
            return [{"host": "web-1"}]
        if path.endswith("/parse_query"):
            return {"type": "vectorSelector"}
        if path.endswith("/query_range"):
            return {"resultType": "matrix", "result": []}
        return {"resultType": "vector", "result": [{"metric": {"host": "web-1"}, "value": [0, "0.42"]}]}


@contextlib.contextmanager
def served(stores: Stores) -> Iterator[str]:
    """The stores over HTTP on loopback, for replicas that are processes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = stores(httpx.Request("GET", f"http://stores.test{self.path}"))
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def store_label(parts: list[str]) -> str:
    """The label of `…/label/<name>/values`."""
    return parts[-2]


@dataclass(frozen=True)
class Stage:
    """One replica. `client` sends requests to it; `stores` is what it asks."""

    service: service.Service
    client: TestClient
    stores: Stores
    folder: Path

    def token(self, name: str = "admin", password: str = ADMIN) -> dict[str, str]:
        """The headers of a signed-in user."""
        found = self.client.post("/ask/auth/login", json={"name": name, "password": password})
        assert found.status_code == 200, found.text
        return {"Authorization": f"Bearer {found.json()['access_token']}"}

    def ask(self, question: str, headers: dict[str, str], **more: Any) -> httpx2.Response:
        """The response to a question."""
        found: httpx2.Response = self.client.post(
            "/ask/api/v1/query", json={"question": question, **more}, headers=headers
        )
        return found


def fresh_database(postgres: Server) -> str:
    """A new empty database."""
    name = f"ask_{secrets.token_hex(4)}"
    with connection(postgres, "postgres") as connected:
        connected.execute(f"CREATE DATABASE {name}".encode())
    return name


def connection(postgres: Server, database: str) -> psycopg.Connection[tuple[Any, ...]]:
    """As its administrator, without a transaction."""
    return psycopg.connect(
        host="127.0.0.1", port=postgres.port, user="ask", password=postgres.password, dbname=database, autocommit=True
    )


def written(folder: Path, postgres: Server, valkey: Server | None, database: str, **changed: Any) -> Path:
    """The settings' file with its secrets and the catalogue. `valkey` None: its content is in the database."""
    files = {"database": postgres.password, "admin": ADMIN, "key": "k" * 40}
    files |= {"valkey": valkey.password} if valkey is not None else {}
    for name, text in files.items():
        (folder / name).write_text(text)
    catalogue = json.loads(render(settings())) | {"database": database}  # answers in Valkey are of one database
    (folder / "catalogue.json").write_text(json.dumps(catalogue))
    document: dict[str, Any] = {
        "catalogue": str(folder / "catalogue.json"),
        "prometheus": {"url": "http://prometheus.test"},
        "loki": {"url": "http://loki.test"},
        "grafana": {"url": "https://hub.test"},
        "database": {
            "host": "127.0.0.1",
            "port": postgres.port,
            "name": database,
            "password_file": f"{folder}/database",
            "connections": changed.pop("connections", 10),
        },
        "session_key_file": str(folder / "key"),
        "admin": {"password_file": str(folder / "admin")},
    }
    if valkey is not None:
        document["valkey"] = {"host": "127.0.0.1", "port": valkey.port, "password_file": str(folder / "valkey")}
    path = folder / "ask.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(document | changed))))
    return path


@contextlib.contextmanager
def replica(postgres: Server, valkey: Server | None, database: str, **changed: Any) -> Iterator[Stage]:
    """A started replica, without Valkey if that is None. Valkey's content of earlier ones stays: names of users and
    databases differ."""
    with tempfile.TemporaryDirectory(prefix="fleetwatch-ask-") as name:
        made = service.build(config.load(written(Path(name), postgres, valkey, database, **changed)))
        stores = Stores()
        made.hub.transport(httpx.MockTransport(stores))
        made.prepare()
        made.knowledge.refresh(force=True)
        with TestClient(app.create(made), client=("198.51.100.7", 50000)) as client:
            yield Stage(made, client, stores, Path(name))


@contextlib.contextmanager
def two(postgres: Server, request: pytest.FixtureRequest) -> Iterator[tuple[Stage, Stage]]:
    """Two replicas over one new database, with Valkey only if the fixture's parameter is `valkey`."""
    database = fresh_database(postgres)
    valkey = request.getfixturevalue("valkey") if request.param == "valkey" else None
    with (
        replica(postgres, valkey, database, jobs=0) as one,
        replica(postgres, valkey, database, jobs=0) as other,
    ):
        yield one, other
