"""Settings, the schema, the pages of the API, and real processes: started, killed, ended, two at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
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
from tests.ask.processes import Process
from tests.ask.servers import Server
from tests.ask.stage import ADMIN, Stage
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
        ("catalogue:", "safety: {series: 0}\ncatalogue:", "safety.series: Input should be greater than or equal to 1"),
        ("catalogue:", "safety: {sampels: 9000}\ncatalogue:", "safety.sampels: unknown key, expected one of depth"),
        ("catalogue:", "safety: {sampels: 9000}\ncatalogue:", "did you mean samples?"),
        ("catalogue:", "concurrency: 0\ncatalogue:", "concurrency: "),
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


def test_pages_of_the_settings_origins_may_call_and_read_errors(made: Stage) -> None:
    asked = {"Origin": "https://other.test", "Access-Control-Request-Method": "POST"}
    asked |= {"Access-Control-Request-Headers": "authorization, mcp-protocol-version"}
    for path in ("/ask/api/v1/query", "/ask/mcp", "/ask/auth/login"):
        found = made.client.options(path, headers=asked)
        assert found.status_code == 200
        assert found.headers["Access-Control-Allow-Origin"] == "https://other.test"
        assert "authorization" in found.headers["Access-Control-Allow-Headers"].lower()
        assert "Access-Control-Allow-Credentials" not in found.headers, "the page's cookie is not for others"
        assert made.client.options(path, headers=asked | {"Origin": "https://evil.test"}).status_code == 400
    refused = made.client.post("/ask/api/v1/query", json={"question": "cpu"}, headers={"Origin": "https://other.test"})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "https://other.test"
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]


def test_limits_of_the_settings_reach_the_engine(made: Stage, tmp_path: Path) -> None:
    path = _changed(made, tmp_path, "catalogue:", "safety: {window: 3600, series: 7}\ncatalogue:")
    found = config.load(path).safety.limits()
    assert (found.window, found.series, found.points) == (3600, 7, 1500)
    assert made.service.knowledge.engine.limits == made.service.settings.safety.limits()


def test_a_new_catalogue_is_read_without_a_restart(made: Stage) -> None:
    path, before = made.service.knowledge.path, made.service.knowledge.engine
    text = path.read_text()
    path.write_text("{")
    assert made.service.knowledge.engine is before, "a file that cannot be used changes nothing"
    path.write_text(text + " ")
    assert made.service.knowledge.engine is not before


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
                process.end()


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
