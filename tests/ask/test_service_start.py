"""Settings, the schema, the pages of the API, and real processes: started, killed, ended, two at once."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from ask.service import config, migrate, tables
from ask.service.config import ConfigError
from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import ADMIN, Stage
from tools.net import free_port
from tools.paths import CHECKOUT


@pytest.fixture(scope="module")
def made(postgres: Server, valkey: Server) -> Iterator[Stage]:
    database = stage.fresh_database(postgres)
    with stage.replica(postgres, valkey, database, cors=["https://other.test"]) as found:
        yield found


def _changed(made: Stage, tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "ask.yaml"
    text = (made.folder / "ask.yaml").read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("session_key_file", "session_key", "session_key: unknown key, expected one of admin, cache_seconds"),
        (
            "url: http://loki.test",
            "address: http://loki.test",
            "loki.address: unknown key, expected one of tenant, url",
        ),
        ("url: http://loki.test", "url: loki.test", "loki.url: "),
        ("catalogue:", "registration: maybe\ncatalogue:", "registration: "),
        ("catalogue:", "history_days: 0\ncatalogue:", "history_days: "),
    ],
)
def test_settings_that_cannot_be_used(made: Stage, tmp_path: Path, old: str, new: str, text: str) -> None:
    with pytest.raises(ConfigError, match="ask.yaml: ") as problem:
        config.load(_changed(made, tmp_path, old, new))
    assert text in str(problem.value)


def test_a_secret_in_place_of_its_file_is_not_shown(made: Stage, tmp_path: Path) -> None:
    path = _changed(made, tmp_path, "session_key_file:", "password: dummy-secret-1\nsession_key_file:")
    with pytest.raises(ConfigError) as problem:
        config.load(path)
    assert "dummy-secret-1" not in str(problem.value)
    short = tmp_path / "short"
    short.write_text("dummy\n")
    with pytest.raises(ConfigError, match="has 5 characters, expected at least 32") as problem:
        config.secret(short, 32)
    assert "dummy" not in str(problem.value)
    with pytest.raises(ConfigError, match="No such file"):
        config.secret(tmp_path / "none")


def test_migrations_make_the_tables(made: Stage) -> None:
    with made.service.pool.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    assert [one for one in differences if "alembic_version" not in str(one)] == []


def test_a_schema_of_a_newer_version_is_refused(postgres: Server) -> None:
    database = stage.fresh_database(postgres)
    with stage.connection(postgres, database) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    url = sa.URL.create("postgresql+psycopg", "ask", postgres.password, "127.0.0.1", postgres.port, database)
    pool = sa.create_engine(url)
    with pytest.raises(migrate.SchemaTooNew, match="9999, which this version does not know"):
        migrate.upgrade(pool)
    with pool.connect() as connected:
        held = connected.execute(sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar()
    assert held == 0, "the lock is given back"
    pool.dispose()


def test_retention_deletes_history_and_audit(made: Stage) -> None:
    headers = made.token()
    made.ask("cpu of web-1", headers)
    with made.service.pool.begin() as connection:
        for name, column in (("query_history", "asked_at"), ("audit", "at")):
            connection.execute(sa.text(f"UPDATE {name} SET {column} = now() - interval '91 days'"))
    made.service.history.audit(_caller(made), "question", "a new one")
    made.service.history.clean()
    with made.service.pool.connect() as connection:
        kept = connection.execute(sa.select(tables.audit.c.detail)).scalars().all()
    assert kept == ["a new one"]


def _caller(made: Stage) -> Any:
    return made.service.accounts.of_token(made.token()["Authorization"].removeprefix("Bearer "))


def test_the_reference_shows_every_route_without_scripts(made: Stage) -> None:
    document = made.client.get("/ask/openapi.json").json()
    page = made.client.get("/ask/docs")
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}<" in page.text


def test_every_response_has_the_headers_of_security(made: Stage) -> None:
    for path in ("/ask/health", "/ask/nothing", "/ask/openapi.json"):
        headers = made.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"]
        assert "server" not in headers


def test_other_origins_are_those_of_the_settings(made: Stage) -> None:
    for origin, allowed in (("https://other.test", "https://other.test"), ("https://evil.test", None)):
        found = made.client.get("/ask/health", headers={"Origin": origin})
        assert found.headers.get("Access-Control-Allow-Origin") == allowed


def test_a_new_catalogue_is_read_without_a_restart(made: Stage) -> None:
    path, before = made.service.knowledge.path, made.service.knowledge.engine
    text = path.read_text()
    path.write_text("{")
    assert made.service.knowledge.engine is before, "a file that cannot be used changes nothing"
    path.write_text(text + " ")
    assert made.service.knowledge.engine is not before


JSON = {"Content-Type": "application/json"}


class Process:
    """A replica as a process on loopback."""

    def __init__(self, path: Path) -> None:
        self.port, self.internal = free_port(), free_port()
        argv = [sys.executable, "-m", "ask.service", "--config", str(path), "--address", "127.0.0.1"]
        argv += ["--port", str(self.port), "--metrics-port", str(self.internal)]
        self.running = subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

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


def test_two_processes_survive_kill_9_and_end_at_sigterm(postgres: Server, valkey: Server) -> None:
    """Sessions and cached answers are valid at the other and after the restart."""
    database = stage.fresh_database(postgres)
    with tempfile.TemporaryDirectory() as name, stage.served(stage.Stores()) as url:
        path = stage.written(Path(name), postgres, valkey, database, prometheus={"url": url}, loki={"url": url})
        one, other = Process(path), Process(path)
        try:
            one.ready()
            other.ready()
            body = {"name": "admin", "password": ADMIN}
            token = json.loads(one.send("/ask/auth/login", body)[1])["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            question = "cpu of web-1"
            assert one.ask(question, headers)[0] == 200
            assert other.ask(question, headers)[1]["cached"] is True
            one.running.kill()
            one.running.wait(timeout=30)
            assert other.ask("memory of web-1", headers)[0] == 200
            one = Process(path)
            one.ready()
            assert one.ask("memory of web-1", headers)[1]["cached"] is True
            status, metrics = one.send("/metrics", internal=True)
            assert (status, one.send("/-/healthy", internal=True)[0]) == (200, 200)
            assert "query_cache_hits_total 1.0" in metrics
            assert one.send("/metrics")[0] == 404, "the metrics are on the internal port alone"
            for process in (one, other):
                process.running.send_signal(signal.SIGTERM)
                assert process.running.wait(timeout=30) == 0
                assert "Traceback" not in process.running.communicate(timeout=5)[0]
        finally:
            for process in (one, other):
                process.running.kill()
                process.running.wait(timeout=30)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [("session_key_file", "session_key", "unknown key"), ("catalogue.json", "none.json", "none.json")],
)
def test_a_start_that_cannot_succeed_ends_with_a_sentence(
    made: Stage, tmp_path: Path, old: str, new: str, text: str
) -> None:
    path = _changed(made, tmp_path, old, new)
    argv = [sys.executable, "-m", "ask.service", "--config", str(path)]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("ask: ")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
